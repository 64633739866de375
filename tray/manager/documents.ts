// The HTML that the server writes itself: the frame of every page, which its script fills, and the page for those who may not
// come in. Everything that is put into HTML goes through `escapeHtml`.

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}

export const pageTitles = {
  now: 'Now',
  keys: 'Servers and keys',
  policy: 'Policy',
  history: 'History',
  checkup: 'Check-up',
} as const;
export type PageName = keyof typeof pageTitles;

/** The frame of a manager page. */
export function managerDocument(page: PageName, csrf: string): string {
  const links = Object.entries(pageTitles).map(([name, title]) => {
    const current = name === page ? ' aria-current="page"' : '';
    return `<li><a href="/${name}"${current} data-icon="${name}">${escapeHtml(title)}</a></li>`;
  });
  const body = `<div class="frame">
<header class="side">
<a class="brand" href="/now"><img src="/assets/seal.svg" alt="" width="36" height="36"><span>ftpseal</span></a>
<nav aria-label="Manager"><ul>${links.join('')}</ul></nav>
<p class="link-state" id="link-state"></p>
</header>
<main id="main" tabindex="-1"><h1>${escapeHtml(pageTitles[page])}</h1><div id="banners" aria-live="polite"></div><div id="content" aria-busy="true"><p class="loading">One moment…</p></div></main>
</div>`;
  return document(pageTitles[page], page, csrf, body);
}

/** The frame of a question: nothing on it but the question. */
export function questionDocument(id: string, csrf: string): string {
  const body = `<main id="main" class="asking" tabindex="-1" data-question="${escapeHtml(id)}"><div id="content" aria-busy="true"><h1>Question</h1><p class="loading">One moment…</p></div></main>`;
  return document('Question', 'question', csrf, body);
}

/** For a browser without a session: what happened and what to do. */
export function refusedDocument(title: string, text: string): string {
  const body = `<main id="main" class="asking"><section class="plain-card"><img src="/assets/seal.svg" alt="" width="48" height="48"><h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p></section></main>`;
  return document(title, 'refused', undefined, body);
}

function document(title: string, page: string, csrf: string | undefined, body: string): string {
  const script = csrf === undefined ? '' : '<script type="module" src="/assets/main.js"></script>';
  const token = csrf === undefined ? '' : `<meta name="csrf" content="${escapeHtml(csrf)}">`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${token}
<title>${escapeHtml(title)} – ftpseal</title>
<link rel="icon" href="/assets/seal.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/theme.css">
<link rel="stylesheet" href="/assets/style.css">
${script}
</head>
<body data-page="${escapeHtml(page)}">
<a class="skip" href="#main">Skip to the content</a>
${body}
<noscript><p class="plain-card">The manager needs JavaScript. It runs only ftpseal’s own scripts, from this computer.</p></noscript>
</body>
</html>
`;
}
