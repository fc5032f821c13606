/** Who is there: dots beside names, and saying whether one is there oneself. */

import { element } from './list.js';

const IDLE_MS = 300_000;
const SIGNS_OF_LIFE = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus'];

/** What is known of others, and a dot for each place where it is to be seen. Dots change by themselves: no line is made anew for them. */
export function createPresences() {
  const known = new Map();

  function paint(dot, presence) {
    dot.hidden = presence === undefined;
    dot.dataset.presence = presence ?? '';
    dot.ariaLabel = presence?.toLowerCase() ?? '';
    dot.title = dot.ariaLabel;
  }

  return {
    learn({ id, presence }) {
      if (known.get(id) === presence) return;
      known.set(id, presence);
      for (const dot of document.querySelectorAll(`.presence[data-user="${CSS.escape(id)}"]`)) paint(dot, presence);
    },
    forget: () => known.clear(),
    dot(userId) {
      const made = element('span', { className: 'presence', role: 'img', data: { user: userId } });
      paint(made, known.get(userId));
      return made;
    },
  };
}

/** Says AWAY when the page is hidden or nobody has touched it for 5 minutes, ONLINE when they are back. */
export function createOwnPresence({ say }) {
  let said = null;
  let isIdle = false;
  let timer;

  function tell() {
    const presence = isIdle || document.visibilityState !== 'visible' ? 'AWAY' : 'ONLINE';
    if (said === null || presence === said) return;
    said = presence;
    say(presence).catch(() => {}); // Said again when the connection is back.
  }

  function wake() {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isIdle = true;
      tell();
    }, IDLE_MS);
    isIdle = false;
    tell();
  }

  for (const sign of SIGNS_OF_LIFE) addEventListener(sign, wake, { passive: true, capture: true });
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'visible' ? wake() : tell()));
  wake();

  return {
    /** For a connection that has just been made: the server may have forgotten, or have heard it of the page before this one. */
    sayAgain() {
      said = '';
      tell();
    },
    /** There is nobody to say it of. */
    rest() {
      said = null;
    },
  };
}
