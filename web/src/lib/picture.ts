/**
 * A picture of what stands on the page: canvases, shapes and text are drawn again onto one canvas.
 *
 * Nothing is fetched and nothing is turned into a `data:` address, which the page's own policy would
 * refuse; so pictures inside of the element are left out.
 */

/** Sharper than the screen, so that it can be put into a report. */
const SCALE = 2;

export async function picture(element: HTMLElement): Promise<Blob> {
  const frame = element.getBoundingClientRect();
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(frame.width * SCALE);
  canvas.height = Math.ceil(frame.height * SCALE);
  const pen = canvas.getContext('2d');
  if (pen === null) throw new Error('this browser cannot draw');
  pen.scale(SCALE, SCALE);
  pen.translate(-frame.left, -frame.top);
  pen.fillStyle = getComputedStyle(document.body).backgroundColor;
  pen.fillRect(frame.left, frame.top, frame.width, frame.height);
  draw(pen, element, frame);
  return new Promise((done, fail) => {
    canvas.toBlob((blob) => {
      if (blob === null) fail(new Error('the picture is too large'));
      else done(blob);
    }, 'image/png');
  });
}

function draw(pen: CanvasRenderingContext2D, element: Element, clip: DOMRect) {
  const style = getComputedStyle(element);
  if (style.display === 'none' || style.visibility === 'hidden') return;
  if (element instanceof HTMLElement && element.dataset.noPicture !== undefined) return;
  const box = element.getBoundingClientRect();
  const outside =
    box.bottom < clip.top ||
    box.top > clip.bottom ||
    box.right < clip.left ||
    box.left > clip.right;
  if (outside) return;
  pen.save();
  pen.globalAlpha *= Number(style.opacity);
  if (element instanceof HTMLCanvasElement) {
    if (element.width > 0 && element.height > 0)
      pen.drawImage(element, box.left, box.top, box.width, box.height);
  } else if (element instanceof SVGGeometryElement) {
    shape(pen, element, style);
  } else if (element instanceof HTMLElement) {
    paintBox(pen, turned(pen, element, box, style), style);
  }
  if (style.overflow !== 'visible' && element instanceof HTMLElement) {
    pen.beginPath();
    pen.rect(box.left, box.top, box.width, box.height);
    pen.clip();
  }
  for (const child of element.childNodes) {
    if (child instanceof Element) draw(pen, child, clip);
    else if (child instanceof Text) write(pen, child, style);
  }
  pen.restore();
}

const invisible = (color: string) => color === 'transparent' || /,\s*0\)$/.test(color);

/** The box as it is before it is turned; the pen is turned instead. */
function turned(
  pen: CanvasRenderingContext2D,
  element: HTMLElement,
  box: DOMRect,
  style: CSSStyleDeclaration,
): DOMRect {
  const angle = /^(-?[\d.]+)deg$/.exec(style.rotate)?.[1];
  if (angle === undefined) return box;
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  pen.translate(x, y);
  pen.rotate((Number(angle) * Math.PI) / 180);
  pen.translate(-x, -y);
  const { offsetWidth: width, offsetHeight: height } = element;
  return new DOMRect(x - width / 2, y - height / 2, width, height);
}

function paintBox(pen: CanvasRenderingContext2D, box: DOMRect, style: CSSStyleDeclaration) {
  const radius = Math.min(Number.parseFloat(style.borderTopLeftRadius) || 0, box.height / 2);
  if (!invisible(style.backgroundColor)) {
    pen.fillStyle = style.backgroundColor;
    pen.beginPath();
    pen.roundRect(box.left, box.top, box.width, box.height, radius);
    pen.fill();
  }
  const side = (width: string, kind: string, color: string) =>
    kind === 'none' || invisible(color) ? 0 : Number.parseFloat(width) || 0;
  const top = side(style.borderTopWidth, style.borderTopStyle, style.borderTopColor);
  const left = side(style.borderLeftWidth, style.borderLeftStyle, style.borderLeftColor);
  pen.beginPath();
  if (top > 0 && left > 0)
    pen.roundRect(
      box.left + top / 2,
      box.top + top / 2,
      Math.max(box.width - top, 0),
      Math.max(box.height - top, 0),
      radius,
    );
  else if (top > 0) line(pen, box.left, box.top + top / 2, box.right, box.top + top / 2);
  else if (left > 0) line(pen, box.left + left / 2, box.top, box.left + left / 2, box.bottom);
  pen.strokeStyle = top > 0 ? style.borderTopColor : style.borderLeftColor;
  pen.lineWidth = top > 0 ? top : left;
  pen.setLineDash(
    (top > 0 ? style.borderTopStyle : style.borderLeftStyle) === 'dashed' ? [3, 3] : [],
  );
  if (top > 0 || left > 0) pen.stroke();
  pen.setLineDash([]);
}

function line(pen: CanvasRenderingContext2D, x: number, y: number, toX: number, toY: number) {
  pen.moveTo(x, y);
  pen.lineTo(toX, toY);
}

function shape(
  pen: CanvasRenderingContext2D,
  element: SVGGeometryElement,
  style: CSSStyleDeclaration,
) {
  const matrix = element.getScreenCTM();
  const path = outline(element);
  if (matrix === null || path === undefined) return;
  pen.transform(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f);
  // A gradient is not a colour that a canvas knows; its line is drawn all the same.
  if (style.fill !== 'none' && !style.fill.startsWith('url')) {
    pen.globalAlpha *= Number(style.fillOpacity);
    pen.fillStyle = style.fill;
    pen.fill(path, style.fillRule === 'evenodd' ? 'evenodd' : 'nonzero');
  }
  if (style.stroke !== 'none' && !style.stroke.startsWith('url')) {
    pen.strokeStyle = style.stroke;
    pen.lineWidth = Number.parseFloat(style.strokeWidth) || 1;
    pen.lineCap = style.strokeLinecap as CanvasLineCap;
    pen.stroke(path);
  }
}

function outline(element: SVGGeometryElement): Path2D | undefined {
  if (element instanceof SVGPathElement) return new Path2D(element.getAttribute('d') ?? '');
  const path = new Path2D();
  if (element instanceof SVGRectElement) {
    const { x, y, width, height } = element;
    path.rect(x.baseVal.value, y.baseVal.value, width.baseVal.value, height.baseVal.value);
  } else if (element instanceof SVGCircleElement) {
    const { cx, cy, r } = element;
    path.arc(cx.baseVal.value, cy.baseVal.value, r.baseVal.value, 0, 2 * Math.PI);
  } else if (element instanceof SVGLineElement) {
    path.moveTo(element.x1.baseVal.value, element.y1.baseVal.value);
    path.lineTo(element.x2.baseVal.value, element.y2.baseVal.value);
  } else if (element instanceof SVGPolylineElement || element instanceof SVGPolygonElement) {
    for (const { x, y } of Array.from(element.points)) path.lineTo(x, y);
    if (element instanceof SVGPolygonElement) path.closePath();
  } else {
    return undefined;
  }
  return path;
}

/** Text is drawn line by line, where the browser has put its letters. */
function write(pen: CanvasRenderingContext2D, node: Text, style: CSSStyleDeclaration) {
  const text = node.data;
  if (text.trim() === '') return;
  const svg = node.parentElement instanceof SVGElement;
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  pen.fillStyle = svg ? style.fill : style.color;
  pen.textBaseline = 'alphabetic';
  const range = document.createRange();
  let start = 0;
  let top: number | undefined;
  const flush = (end: number) => {
    range.setStart(node, start);
    range.setEnd(node, end);
    const box = range.getBoundingClientRect();
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen.measureText('x');
    const baseline = box.top + (box.height + up - down) / 2;
    pen.fillText(text.slice(start, end), box.left, baseline);
  };
  for (let at = 0; at < text.length; at += 1) {
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    const box = range.getBoundingClientRect();
    if (box.width === 0) continue;
    if (top !== undefined && Math.abs(box.top - top) > 2) {
      flush(at);
      start = at;
    }
    top = box.top;
  }
  if (top !== undefined) flush(text.length);
}
