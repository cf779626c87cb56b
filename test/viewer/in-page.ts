// What the tests ask inside the browser: as text, since it runs there and not here.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

const SERIOUS = `axe.run().then(({ violations }) => violations
  .filter(({ impact }) => impact === 'serious' || impact === 'critical')
  .map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 160) + ' ' + failureSummary).join('\\n')))`;

/** What an accessibility check finds that is serious. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // run by the browser's debugger: the policy of the page forbids a script that is not its own
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(SERIOUS);
}

const TOO_WIDE = `(() => {
  const root = document.documentElement;
  // what scrolls by itself, and what is cut on purpose
  const apart = '.scroll-x, nav, [role=grid], [role=treegrid], [role=region], dialog, .choice, pre, svg, .u-wrap, .wf-head, .unseen';
  const wide = [...document.querySelectorAll('body *')].filter((element) =>
    element.getBoundingClientRect().right > root.clientWidth + 1 && element.closest(apart) === null);
  return [
    ...(root.scrollWidth > root.clientWidth ? ['the page itself'] : []),
    ...wide.map(({ tagName, className }) => tagName + '.' + className),
  ];
})()`;

/** What goes past the right edge of the page. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(TOO_WIDE);
}

const PLANTED = `(() => {
  for (const details of document.querySelectorAll('details')) details.open = true;
  return {
    owned: 'owned' in window,
    elements: document.querySelectorAll('main img, main script, main iframe, main svg[onload], main [onerror]').length,
    links: [...document.querySelectorAll('a[href]')].map(({ protocol }) => protocol)
      .filter((protocol) => !['http:', 'https:', 'file:'].includes(protocol)),
  };
})()`;

/** What of received markup has become part of the page. */
export function planted(page: Page): Promise<{ owned: boolean; elements: number; links: string[] }> {
  return page.evaluate(PLANTED);
}
