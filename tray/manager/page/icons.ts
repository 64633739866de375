// The few pictures of the pages, drawn as lines on 24 by 24. They say nothing that the text beside them doesn't.
import { svg } from './dom.js';

const paths = {
  now: 'M3 12h4l3-8 4 16 3-8h4',
  keys: 'M15 9a4 4 0 1 0-3.5 4L13 14.5h2V17h2.5v2.5H21V16l-5-5',
  policy: 'M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2.2 2.2L15.5 10',
  history: 'M4 12a8 8 0 1 0 2.5-5.8M4 4v4h4M12 8v4.5l3 2',
  checkup: 'M4 12h3l2-5 4 10 2-5h5M4 5h16M4 19h16',
  locked: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2',
  open: 'M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2M12 14.5v2',
  passed: 'M4 12h15M14 7l5 5-5 5',
  pending: 'M12 4a8 8 0 1 0 8 8M12 8v4l2.5 1.5',
  alert: 'M12 4l9 16H3zM12 10v4.5M12 17v.5',
  plus: 'M12 5v14M5 12h14',
  down: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  up: 'M12 16V5M7 9.5l5-5 5 5M5 20h14',
  search: 'M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20',
  good: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM8.5 12.2l2.4 2.4 4.8-4.9',
  bad: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9 9l6 6M15 9l-6 6',
  question:
    'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM9.7 9.6a2.4 2.4 0 1 1 3.5 2.3c-.8.4-1.2.9-1.2 1.8M12 16.6v.3',
  new: 'M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.5M7.5 16h.5M11 8h6M11 16h6',
} as const;

export type IconName = keyof typeof paths;

export function icon(name: IconName): SVGSVGElement {
  return svg(
    'svg',
    { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' },
    svg('path', { d: paths[name] }),
  );
}

export function isIconName(name: string): name is IconName {
  return Object.hasOwn(paths, name);
}
