// Long lists of which only the rows in sight are there.
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualItem,
} from '@tanstack/virtual-core';
import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface VirtualRows {
  readonly items: readonly VirtualItem[];
  /** Height of all rows, in px. */
  readonly height: number;
  /** Brings a row into sight. */
  readonly show: (index: number) => void;
  /** For rows of unknown height: measures an element that has `data-index`. */
  readonly measure: (element: HTMLElement | null) => void;
}

/** Rows of a list in an element that scrolls. */
export function useVirtualRows(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
  keyOf: (index: number) => string | number,
): VirtualRows {
  const [, render] = useState({});
  const virtualizer = useRef<Virtualizer<HTMLElement, HTMLElement> | undefined>(undefined);
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: keyOf,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => render({}),
  };
  virtualizer.current ??= new Virtualizer(options);
  virtualizer.current.setOptions(options);
  const instance = virtualizer.current;
  useEffect(() => instance._didMount(), [instance]);
  useLayoutEffect(() => instance._willUpdate());
  return {
    items: instance.getVirtualItems(),
    height: instance.getTotalSize(),
    show: (index) => instance.scrollToIndex(index, { align: 'auto' }),
    measure: (element) => instance.measureElement(element),
  };
}
