// The sections of the benchmark, in the order in which they run.
import { engineSection } from './engine/section.js';
import { redirectSection } from './redirect/section.js';
import { scalingSection } from './scaling/section.js';
import { safetpSection } from './safetp/section.js';
import type { Section } from './section.js';
import { serveSection } from './serve/section.js';
import { tunnelSection } from './tunnel/section.js';

export const sections: readonly Section[] = [
  redirectSection,
  scalingSection,
  serveSection,
  tunnelSection,
  safetpSection,
  engineSection,
];
