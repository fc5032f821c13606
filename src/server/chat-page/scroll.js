/** Scrolling, so that what arrives does not move what somebody reads. */

/** Nearer to the end than this, in pixels, counts as being there. */
const END_PX = 80;

export function isAtEnd({ scrollHeight, scrollTop, clientHeight }) {
  return scrollHeight - scrollTop - clientHeight < END_PX;
}

export function scrollToEnd(scroller) {
  scroller.scrollTop = scroller.scrollHeight;
}

/**
 * Changes a list within its scroller. Whoever is at the end stays there, if that is where the newest is; for others the first line they see
 * stays where it is.
 */
export function keepPlace(scroller, list, followsEnd, change) {
  const staysAtEnd = followsEnd && isAtEnd(scroller);
  const { top } = scroller.getBoundingClientRect();
  const first = [...list.children].find((child) => child.getBoundingClientRect().bottom > top);
  const before = first?.getBoundingClientRect().top;
  change();
  if (staysAtEnd) scrollToEnd(scroller);
  else if (first?.isConnected) scroller.scrollTop += first.getBoundingClientRect().top - before;
}

/** Whoever is at the end stays there when the room gets smaller or larger, as by a line to write in that grows. */
export function stayAtEnd(scroller) {
  let wasAtEnd = true;
  scroller.addEventListener('scroll', () => {
    wasAtEnd = isAtEnd(scroller);
  });
  new ResizeObserver(() => {
    if (wasAtEnd) scrollToEnd(scroller);
  }).observe(scroller);
}

/** Shows a line of a list, and marks it for a moment. */
export function reveal(line) {
  line.scrollIntoView({ block: 'center' });
  delete line.dataset.revealed;
  requestAnimationFrame(() => {
    line.dataset.revealed = '';
  });
}
