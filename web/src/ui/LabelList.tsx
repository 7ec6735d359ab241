/** Labels as small words, the name fainter than the value. */

import type { Labels } from '../frame/frame';

export function LabelList({ labels }: { labels: Labels }) {
  return (
    <span className="labels mono">
      {Object.keys(labels)
        .sort()
        .map((name) => (
          <span key={name}>
            <span className="faint">{name}=</span>
            <bdi>{labels[name]}</bdi>
          </span>
        ))}
    </span>
  );
}
