/** The panel beside the conversation, on a phone over it. It shows one view at a time: a thread, the members, pinned messages or mentions. */

import { arrange } from './list.js';
import { keepPlace } from './scroll.js';

const $ = (id) => document.getElementById(id);

/**
 * A view is `{ name, title, empty, lines, before, after }`: what it is called, what is shown for nothing, a function that returns items for `arrange`, and
 * functions that return how to load more at either end, null where there is none. `onClose` hears which view has ended.
 */
export function createPanel({ onClose }) {
  let view = null;
  let opener = null;

  function open(next) {
    if (view === null) opener = document.activeElement;
    else onClose(view);
    view = next;
    // Nothing of one view is taken for a line of another.
    $('panel-lines').replaceChildren();
    document.body.dataset.panel = next.name;
    render();
    $('panel-title').focus();
  }

  /** Gives the focus back to where it came from, if it was in here. */
  function close() {
    if (view === null) return;
    const hadFocus = $('panel').contains(document.activeElement);
    const closed = view;
    view = null;
    delete document.body.dataset.panel;
    onClose(closed);
    render();
    if (hadFocus && opener?.isConnected) opener.focus();
  }

  function render() {
    $('panel').hidden = view === null;
    if (view === null) return;
    const lines = view.lines();
    $('panel-title').textContent = view.title;
    $('panel-empty').textContent = lines.length === 0 ? view.empty : '';
    const followsEnd = $('panel-after').hidden;
    $('panel-before').hidden = !view.before?.();
    $('panel-after').hidden = !view.after?.();
    keepPlace($('panel-scroller'), $('panel-lines'), followsEnd, () => arrange($('panel-lines'), lines));
  }

  $('panel-close').addEventListener('click', close);
  $('panel').addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented) close();
  });
  $('panel-before').addEventListener('click', () => view?.before()?.());
  $('panel-after').addEventListener('click', () => view?.after()?.());

  return {
    open,
    close,
    render,
    shows: (name) => view?.name === name,
    get isOpen() {
      return view !== null;
    },
  };
}
