// The stand-in for Windows' filters (filters.c): builds it into a Windows, and judges connections by what it holds.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseCidr } from './cidr.js';
import type { Wine } from '../harness/wine.js';

const repository = path.resolve(import.meta.dirname, '../../../..');
const layers = { 4: 'c38d57d1-05a7-4c33-904f-7fbceee60e82', 6: '4a72393b-319f-44bc-84c3-ba54dcb3b6b4' };
const PROTOCOL = '3971ef2b-623e-4f9a-8cb1-6e79b806b9a7';
const FLAGS = '632ce23b-5167-435c-86d7-e903684aa80c';
const REMOTE_PORT = 'c35a604d-d22b-4e1a-91b4-68f674ee674b';
const REMOTE_ADDRESS = 'b235ae9a-1d64-49b8-a44c-5ff3d9095045';

/** A TCP connection of a program. */
export interface Attempt {
  readonly family: 4 | 6;
  readonly host: string;
  readonly port: number;
}

interface Filter {
  readonly file: string;
  readonly isForLife: boolean;
  readonly layer: string;
  readonly weight: number;
  readonly action: string;
  readonly tests: readonly (readonly [field: string, match: string, value: string])[];
}

export class StandInFilters {
  readonly #folder: string;
  readonly #wine: Wine;

  /** For every process of this Windows that is given `environment`. */
  constructor(wine: Wine) {
    this.#wine = wine;
    this.#folder = path.join(wine.driveC, 'filters');
    mkdirSync(this.#folder, { recursive: true });
    const dll = path.join(wine.driveC, 'windows/system32/fwpuclnt.dll');
    // Linked with the template's.
    rmSync(dll, { force: true });
    const source = path.join(repository, 'test/wine/windivert/filters.c');
    execFileSync('x86_64-w64-mingw32-gcc', ['-O2', '-shared', '-o', dll, source]);
  }

  get environment(): Readonly<Record<string, string>> {
    const overrides = this.#wine.environment['WINEDLLOVERRIDES'] ?? '';
    return { FTPSEAL_FILTERS: 'C:\\filters', WINEDLLOVERRIDES: `${overrides};fwpuclnt=n` };
  }

  /** From now on Windows takes no filter, with this error; 0: it does. */
  refuse(error: number): void {
    const file = path.join(this.#folder, 'refuse');
    if (error === 0) rmSync(file, { force: true });
    else writeFileSync(file, String(error));
  }

  /** What Windows does itself when a process dies: its filters for life go. */
  processDied(): void {
    for (const { file, isForLife } of this.#filters()) if (isForLife) rmSync(file);
  }

  /** Names of what is there. */
  get left(): readonly string[] {
    return readdirSync(this.#folder).sort();
  }

  /** Of the filters that match, in one sublayer, the heaviest decides; without any a connection passes. */
  passes({ family, host, port }: Attempt): boolean {
    const matching = this.#filters().filter(
      (filter) => filter.layer === layers[family] && matches(filter, host, port),
    );
    const [heaviest] = matching.sort((a, b) => b.weight - a.weight);
    return heaviest?.action !== 'block';
  }

  #filters(): readonly Filter[] {
    const names = readdirSync(this.#folder).filter((name) => name.startsWith('filter-'));
    return names.map((name) => {
      const file = path.join(this.#folder, name);
      const [life, , layer = '', weight = '', action = '', ...tests] = readFileSync(file, 'utf8').split(' ');
      return {
        file,
        isForLife: life === 'for-life',
        layer,
        weight: Number(weight),
        action,
        tests: tests.map((test) => {
          const [field = '', match = '', ...value] = test.split('/');
          return [field, match, value.join('/')] as const;
        }),
      };
    });
  }
}

// Conditions on the same field are alternatives.
function matches({ tests }: Filter, host: string, port: number): boolean {
  const fields = new Set(tests.map(([field]) => field));
  return [...fields].every((field) =>
    tests.some(([name, match, value]) => name === field && isMet(field, match, value, host, port)),
  );
}

function isMet(field: string, match: string, value: string, host: string, port: number): boolean {
  const [first = 0, last = 0] = value.split('-').map(Number);
  switch (field) {
    case PROTOCOL:
      return match === '0' && value === '6';
    case FLAGS:
      // No flag of these is set but for loopback.
      return match === '8' && value === '1' && !['127.0.0.1', '::1'].includes(host);
    case REMOTE_PORT:
      return match === '5' && first <= port && port <= last;
    case REMOTE_ADDRESS:
      return match === '0' && parseCidr(value).check(host, host.includes(':') ? 'ipv6' : 'ipv4');
    default:
      throw new Error(`a condition on ${field}`);
  }
}
