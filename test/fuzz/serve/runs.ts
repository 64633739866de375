// How long dice are thrown.

/** The numbers of the runs: `count` of them, or in a deep run as many as fit into FTPSEAL_FUZZ_MINUTES. */
export function* runs(count: number): Generator<number> {
  const minutes = process.env['FTPSEAL_FUZZ_MINUTES'];
  const until = Date.now() + Number(minutes ?? 0) * 60_000;
  for (let run = 0; minutes === undefined ? run < count : Date.now() < until; run += 1) yield run;
}
