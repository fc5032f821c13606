/** A few choices that come up beside a button. The browser closes it by Escape or a click elsewhere, and gives the focus back. */

import { element } from './list.js';

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

const menu = document.getElementById('menu');

/** `choices` are `{ label, name, act }`: what is seen, how it is called where that differs, what happens. */
export function showMenu(anchor, title, choices, className = '') {
  menu.className = className;
  menu.ariaLabel = title;
  menu.replaceChildren(
    ...choices.map(({ label, name = label, act }) =>
      element('button', {
        type: 'button',
        role: 'menuitem',
        textContent: label,
        ariaLabel: name,
        onclick() {
          menu.hidePopover();
          act();
        },
      }),
    ),
  );
  menu.showPopover();
  place(anchor.getBoundingClientRect());
  menu.firstElementChild?.focus();
}

/** Below its button, or above where there is no room, and always within the window. */
function place({ top, bottom, right }) {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const gap = 4;
  const isRoomBelow = bottom + gap + height < innerHeight;
  menu.style.left = `${Math.max(gap, Math.min(right - width, innerWidth - width - gap))}px`;
  menu.style.top = `${Math.max(gap, isRoomBelow ? bottom + gap : top - gap - height)}px`;
}

menu.addEventListener('keydown', (event) => {
  const step = STEPS[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const items = [...menu.children];
  items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
});
