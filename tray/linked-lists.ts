// Sessions and questions as the daemon's events tell them: everything first, then each change.
import type { PromptEvent, QuestionView, SessionEvent, SessionView } from '../shared/ipc-messages.js';

/** The lists are new ones after each event, in the order in which things began. */
export class LinkedLists {
  #sessions = new Map<string, SessionView>();
  #questions = new Map<string, QuestionView>();

  get sessions(): readonly SessionView[] {
    return [...this.#sessions.values()];
  }

  get questions(): readonly QuestionView[] {
    return [...this.#questions.values()];
  }

  applySession(event: SessionEvent): void {
    switch (event.kind) {
      case 'all':
        this.#sessions = new Map(event.sessions.map((session) => [session.state.id, session]));
        return;
      case 'changed':
        this.#sessions.set(event.session.state.id, event.session);
        return;
      case 'ended':
        this.#sessions.delete(event.id);
    }
  }

  applyPrompt(event: PromptEvent): void {
    switch (event.kind) {
      case 'all':
        this.#questions = new Map(event.questions.map((question) => [question.id, question]));
        return;
      case 'opened':
      case 'updated':
        this.#questions.set(event.question.id, event.question);
        return;
      case 'closed':
        this.#questions.delete(event.id);
    }
  }

  clear(): void {
    this.#sessions.clear();
    this.#questions.clear();
  }
}
