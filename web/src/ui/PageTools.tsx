/** Puts a page's own tools into the bar at the top. */

import { type ReactNode, useEffect, useState } from 'react';
import { createPortal } from 'react-dom';

export function PageTools({ children }: { children: ReactNode }) {
  const [place, setPlace] = useState<HTMLElement | null>(null);
  useEffect(() => setPlace(document.getElementById('page-tools')), []);
  return place === null ? null : createPortal(children, place);
}
