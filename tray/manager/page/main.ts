// Starts the page that the document names.
import type { LiveView } from '../wire.js';
import { startCheckup } from './checkup-page.js';
import { byId, el, fill } from './dom.js';
import { HistoryPage } from './history-page.js';
import { icon, isIconName } from './icons.js';
import { KeysPage } from './keys-page.js';
import { listen } from './live.js';
import { NowPage } from './now-page.js';
import { bannerList } from './parts.js';
import { startPolicy } from './policy-page.js';
import { QuestionWindow } from './question-page.js';

const page = document.body.dataset['page'] ?? '';
const content = byId('content');

if (page === 'question') startQuestion();
else startManagerPage();

function startQuestion(): void {
  const question = new QuestionWindow(content, byId('main').dataset['question'] ?? '');
  listen({
    onView: (view) => {
      question.update(view);
    },
    onLost: () => undefined,
  });
}

function startManagerPage(): void {
  for (const link of document.querySelectorAll('nav a[data-icon]')) {
    const name = link.getAttribute('data-icon') ?? '';
    if (isIconName(name)) link.prepend(icon(name));
  }
  const update = pageUpdater();
  let wasConnected: boolean | undefined;
  listen({
    onView: (view) => {
      showFrame(view);
      update.onView(view);
      // What could not be read while the daemon was away can be read now.
      if (wasConnected === false && view.connected) update.onBack();
      wasConnected = view.connected;
    },
    onLost: showLost,
  });
}

interface PageUpdater {
  readonly onView: (view: LiveView) => void;
  readonly onBack: () => void;
}

function pageUpdater(): PageUpdater {
  content.setAttribute('aria-busy', 'false');
  const quiet = { onView: () => undefined };
  switch (page) {
    case 'keys': {
      const keys = new KeysPage(content);
      return { ...quiet, onBack: () => void keys.load() };
    }
    case 'history': {
      const history = new HistoryPage(content);
      return { ...quiet, onBack: () => void history.load() };
    }
    case 'policy':
      startPolicy(content);
      return {
        ...quiet,
        onBack: () => {
          startPolicy(content);
        },
      };
    case 'checkup':
      startCheckup(content);
      return {
        ...quiet,
        onBack: () => {
          startCheckup(content);
        },
      };
    default: {
      const now = new NowPage(content);
      return {
        onView: (view) => {
          now.update(view);
        },
        onBack: () => undefined,
      };
    }
  }
}

let shownBanners = '';

function showFrame(view: LiveView): void {
  const banners = JSON.stringify(view.banners);
  if (banners !== shownBanners) fill(byId('banners'), ...bannerList(view.banners));
  shownBanners = banners;
  showLink(view.connected ? 'good' : 'bad', view.connected ? `Daemon ${view.version}` : 'Daemon away');
  showBadge(view.questions.length);
}

function showLost(): void {
  shownBanners = '';
  const text =
    'The tray program of ftpseal has gone. What is shown here is old. Start it again, and open the manager from it.';
  fill(byId('banners'), ...bannerList([{ tone: 'bad', text }]));
  showLink('bad', 'Not connected');
}

function showLink(tone: 'good' | 'bad', text: string): void {
  const place = byId('link-state');
  if (place.textContent === text) return;
  place.className = `link-state ${tone}`;
  fill(place, el('span', { class: 'dot', 'aria-hidden': 'true' }), text);
}

function showBadge(questions: number): void {
  const link = document.querySelector('nav a[data-icon="now"]');
  link?.querySelector('.badge')?.remove();
  if (questions === 0) return;
  const text = questions === 1 ? 'open question' : 'open questions';
  link?.append(
    el('span', { class: 'badge' }, String(questions), el('span', { class: 'unseen' }, ` ${text}`)),
  );
}
