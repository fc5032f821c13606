/** Making elements of the page. Text is always text: markup from messages goes through `bodyHtml` alone, which the server has sanitised. */

export function element(name, { data = {}, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  Object.assign(made.dataset, data);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Makes the children of a list those of `items`: each has a key, a version (anything that JSON can hold) and `build`, which returns an
 * array of nodes, null for none; `update`, where there is one, sees to what changes within. What has not changed is not touched, so that
 * focus, selection and scrolling stay.
 */
export function arrange(list, items) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  for (const [index, { key, version, className = '', build, update }] of items.entries()) {
    const child = known.get(key) ?? element('li', { data: { key } });
    known.delete(key);
    const signature = JSON.stringify(version);
    if (child.signature !== signature) {
      const focused = child.contains(document.activeElement) ? document.activeElement.textContent : null;
      child.signature = signature;
      child.replaceChildren(...build().filter((node) => node !== null));
      // The button that was there is another now: the one that says the same takes its place.
      if (focused !== null) rest(child, focused);
    }
    if (child.className !== className) child.className = className;
    update?.(child);
    if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
  }
  for (const child of known.values()) {
    const hadFocus = child.contains(document.activeElement);
    child.remove();
    if (hadFocus) rest(list.closest('li') ?? list);
  }
}

/** What had the focus is gone: it stays near, so that whoever uses the keyboard does not begin at the top of the page again. */
function rest(place, textContent) {
  const buttons = [...place.querySelectorAll('button')];
  const next = buttons.find((button) => button.textContent === textContent) ?? buttons[0] ?? place;
  if (next === place) place.tabIndex = -1;
  next.focus();
}

/** A circle with the first letter of a name, in a colour that is always the same for the same key. */
export function avatar(name, key) {
  const made = element('span', { className: 'avatar', textContent: [...name][0]?.toUpperCase() ?? '?', ariaHidden: 'true' });
  let hue = 0;
  for (const character of key) hue = (hue * 31 + character.codePointAt(0)) % 360;
  made.style.setProperty('--hue', hue);
  return made;
}

/** The time of day for today, else the date with it. */
export function time(iso) {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  const textContent = at.toLocaleString([], isToday ? { timeStyle: 'short' } : { dateStyle: 'short', timeStyle: 'short' });
  return element('time', { dateTime: iso, title: at.toLocaleString(), textContent });
}
