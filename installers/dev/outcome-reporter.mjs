// A reporter for `node --test` that says at the end, as one JSON object, what came of it: counts, and the files in which something failed.
export default async function* outcome(events) {
  const counts = {};
  const failedFiles = new Set();
  for await (const { type, data } of events) {
    // A file that died or hung fails as a test of its own, whose name is the file.
    if (type === 'test:fail') failedFiles.add(data.file ?? data.name);
    // The runner's own counts come last.
    const [, word, number] = /^(\w+) (\d+)$/.exec(type === 'test:diagnostic' ? data.message : '') ?? [];
    if (word !== undefined) counts[word] = Number(number);
  }
  yield JSON.stringify({ counts, failedFiles: [...failedFiles] });
}
