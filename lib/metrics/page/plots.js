'use strict';
/*
 * Draws what the page carries in its #data element (docs/plots.md, "The data").  Text gets into the
 * page as text only, never as HTML, and nothing is ever loaded.
 */
(() => {
	const data = JSON.parse(document.getElementById('data').textContent);
	const svgSpace = document.querySelector('svg').namespaceURI;
	const WIDTH = 640, HEIGHT = 360, COLOURS = 8;
	const MARGIN = { left: 62, right: 16, top: 12, bottom: 48 };
	const DASHES = ['', '7 4', '2 4', '9 4 2 4', '14 4', '4 2'];
	const MOST_DOTS = 4000, MOST_POINTS = 1600;
	const hidden = new Set();

	/* --- elements --- */

	function add(parent, name, attributes, text) {
		const isSvg = name === 'svg' || parent.namespaceURI === svgSpace;
		const e = isSvg ? document.createElementNS(svgSpace, name) : document.createElement(name);
		for (const [key, value] of Object.entries(attributes || {}))
			if (value !== undefined && value !== '')
				e.setAttribute(key, value);
		if (text !== undefined)
			e.textContent = text;
		parent.append(e);
		return e;
	}
	function colour(element, revision) {
		const index = data.revisions.indexOf(revision);
		element.style.setProperty('--colour', `var(--c${index % COLOURS})`);
		return element;
	}
	function newChart(parent, width, height, label) {
		const box = add(parent, 'div', { class: 'chart' });
		const svg = add(box, 'svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label });
		const tip = add(box, 'div', { class: 'tip', hidden: 'hidden' });
		return { box, svg, tip };
	}

	/* --- numbers --- */

	const isNumber = (v) => typeof v === 'number' && Number.isFinite(v);
	function tidy(v) {
		if (!isNumber(v))
			return String(v);
		const size = Math.abs(v);
		if (v === 0 || (size >= 1e-4 && size < 1e7))
			return String(Number(v.toPrecision(6)));
		return v.toExponential(3).replace(/\.?0+e/, 'e');
	}
	const place = (v) => String(Number(v.toFixed(2)));
	/* Round steps for about `count` ticks. */
	function ticksOf(low, high, count) {
		if (low === high) {
			const pad = Math.abs(low) * 0.1 || 1;
			low -= pad;
			high += pad;
		}
		const rough = (high - low) / count;
		const power = 10 ** Math.floor(Math.log10(rough));
		const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
		const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
		const ticks = [];
		for (let i = first; i <= last; i++)
			ticks.push(Number((i * step).toPrecision(12)));
		return ticks;
	}
	function extent(values) {
		let low = Infinity, high = -Infinity;
		for (const v of values)
			if (isNumber(v)) {
				low = Math.min(low, v);
				high = Math.max(high, v);
			}
		return low <= high ? [low, high] : [0, 1];
	}

	/* --- scales and axes --- */

	/* What an axis shows: numbers where all are, else the words in their order. */
	function axisOf(values, exact) {
		const there = values.filter((v) => v !== null && v !== undefined);
		if (there.every((v) => typeof v === 'number')) {
			const [low, high] = extent(there);
			const ticks = ticksOf(low, high, 6);
			if (!exact)
				return { of: (v) => v, low: ticks[0], high: ticks[ticks.length - 1], ticks, text: tidy };
			const pad = low === high ? Math.abs(low) * 0.1 || 1 : 0;
			const whole = there.every(Number.isInteger); /* steps and epochs have no halves */
			return { of: (v) => v, low: low - pad, high: high + pad, text: tidy,
				ticks: ticks.filter((t) => t >= low - pad && t <= high + pad && (!whole || Number.isInteger(t))) };
		}
		const words = [...new Set(there.map(String))];
		const index = new Map(words.map((w, i) => [w, i]));
		const every = Math.ceil(words.length / 8);
		return { of: (v) => index.get(String(v)), low: 0, high: Math.max(words.length - 1, 1),
			ticks: words.map((_, i) => i).filter((i) => i % every === 0),
			text: (i) => words[i].length > 14 ? words[i].slice(0, 13) + '…' : words[i] };
	}
	function scaleOf(axis, from, to) {
		const scale = (v) => {
			const at = axis.of(v);
			return at === undefined || !isNumber(at) ? NaN
				: from + (at - axis.low) / (axis.high - axis.low) * (to - from);
		};
		scale.tick = (t) => from + (t - axis.low) / (axis.high - axis.low) * (to - from);
		return scale;
	}
	function drawAxes(svg, plot, xAxis, yAxis) {
		const right = WIDTH - MARGIN.right, bottom = HEIGHT - MARGIN.bottom;
		const x = scaleOf(xAxis, MARGIN.left, right), y = scaleOf(yAxis, bottom, MARGIN.top);
		for (const t of yAxis.ticks) {
			const at = place(y.tick(t));
			add(svg, 'line', { class: 'grid', x1: MARGIN.left, x2: right, y1: at, y2: at });
			add(svg, 'text', { x: MARGIN.left - 8, y: at, dy: '.32em', 'text-anchor': 'end' }, yAxis.text(t));
		}
		for (const t of xAxis.ticks) {
			const at = place(x.tick(t));
			add(svg, 'line', { class: 'axis', x1: at, x2: at, y1: bottom, y2: bottom + 5 });
			add(svg, 'text', { x: at, y: bottom + 19, 'text-anchor': 'middle' }, xAxis.text(t));
		}
		add(svg, 'line', { class: 'axis', x1: MARGIN.left, x2: right, y1: bottom, y2: bottom });
		add(svg, 'text', { class: 'label', x: (MARGIN.left + right) / 2, y: HEIGHT - 8, 'text-anchor': 'middle' }, plot.x_label);
		add(svg, 'text', { class: 'label', 'text-anchor': 'middle',
			transform: `translate(14 ${(MARGIN.top + bottom) / 2}) rotate(-90)` }, plot.y_label);
		return { x, y };
	}

	/* --- series --- */

	const shown = (plot) => plot.series.filter((s) => !hidden.has(s.revision));
	const namesOf = (plot) => [...new Set(plot.series.map((s) => s.name))];
	function titleOf(plot, s) {
		return namesOf(plot).length > 1 ? `${s.revision} · ${s.name}` : s.revision;
	}
	function dashOf(plot, s) {
		return DASHES[namesOf(plot).indexOf(s.name) % DASHES.length];
	}
	/* An average that forgets, corrected at its beginning. */
	function smoothed(values, weight) {
		let sum = 0, mass = 0;
		return values.map((v) => {
			if (!isNumber(v))
				return v;
			sum = sum * weight + v * (1 - weight);
			mass = mass * weight + (1 - weight);
			return sum / mass;
		});
	}
	/* Fewer points than columns of the screen need, each column with its lowest and highest. */
	function thinned(points) {
		if (points.length <= MOST_POINTS)
			return points;
		const size = Math.ceil(points.length / (MOST_POINTS / 2)), kept = [];
		for (let i = 0; i < points.length; i += size) {
			let low = i, high = i;
			for (let k = i; k < Math.min(i + size, points.length); k++) {
				if (points[k].y > points[low].y)
					low = k;
				if (points[k].y < points[high].y)
					high = k;
			}
			kept.push(points[Math.min(low, high)]);
			if (low !== high)
				kept.push(points[Math.max(low, high)]);
		}
		return kept;
	}
	function pathOf(points) {
		let path = '', open = false;
		for (const p of points) {
			const drawn = !Number.isNaN(p.x) && !Number.isNaN(p.y);
			if (drawn)
				path += `${open ? 'L' : 'M'}${place(p.x)},${place(p.y)}`;
			open = drawn;
		}
		return path;
	}
	/* Values in the order of x, as lines are drawn. */
	function ordered(s) {
		const order = s.y.map((_, i) => i);
		if (s.x.every((v) => typeof v === 'number'))
			order.sort((a, b) => s.x[a] - s.x[b] || a - b);
		return { x: order.map((i) => s.x[i]), y: order.map((i) => s.y[i]) };
	}

	/* --- charts --- */

	function showTip(chart, event, lines) {
		chart.tip.replaceChildren();
		for (const line of lines) {
			const row = add(chart.tip, 'div');
			if (line.revision !== undefined)
				colour(add(row, 'span', { class: 'dot' }), line.revision);
			row.append(line.text);
			if (line.value !== undefined)
				add(row, 'b', {}, `  ${line.value}`);
		}
		chart.tip.hidden = false;
		const box = chart.box.getBoundingClientRect();
		const left = event.clientX - box.left, top = event.clientY - box.top;
		const flip = left > box.width / 2;
		chart.tip.style.left = flip ? '' : `${left + 14}px`;
		chart.tip.style.right = flip ? `${box.width - left + 14}px` : '';
		chart.tip.style.top = `${Math.max(0, Math.min(top - 12, box.height - chart.tip.offsetHeight))}px`;
	}
	/* Where the pointer is in the units of the drawing. */
	function pointer(chart, event) {
		const box = chart.svg.getBoundingClientRect();
		return { x: (event.clientX - box.left) * WIDTH / box.width,
			y: (event.clientY - box.top) * HEIGHT / box.height };
	}
	/* The cross and the values nearest to the pointer's x. */
	function followLines(chart, plot, curves, xAxis) {
		const cross = add(chart.svg, 'line', { class: 'cross', y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom });
		const marks = curves.map((c) => colour(add(chart.svg, 'circle', { class: 'focus', r: 4 }), c.s.revision));
		chart.svg.addEventListener('pointermove', (event) => {
			const at = pointer(chart, event);
			const near = curves.map((c) => {
				const points = c.points.filter((p) => !Number.isNaN(p.x) && !Number.isNaN(p.y));
				return points.reduce((best, p) => !best || Math.abs(p.x - at.x) < Math.abs(best.x - at.x) ? p : best, null);
			});
			const nearest = near.filter(Boolean).reduce((best, p) => !best || Math.abs(p.x - at.x) < Math.abs(best.x - at.x) ? p : best, null);
			if (!nearest)
				return;
			cross.setAttribute('x1', nearest.x);
			cross.setAttribute('x2', nearest.x);
			cross.style.visibility = 'visible';
			near.forEach((p, i) => {
				marks[i].style.visibility = p && Math.abs(p.x - nearest.x) < 1 ? 'visible' : 'hidden';
				if (p) {
					marks[i].setAttribute('cx', p.x);
					marks[i].setAttribute('cy', p.y);
				}
			});
			const rows = near.map((p, i) => p && Math.abs(p.x - nearest.x) < 1 &&
				{ revision: curves[i].s.revision, text: titleOf(plot, curves[i].s), value: tidy(p.value) });
			showTip(chart, event, [{ text: `${plot.x_label}: ${tidy(nearest.key)}` }, ...rows.filter(Boolean)]);
		});
		chart.svg.addEventListener('pointerleave', () => {
			chart.tip.hidden = true;
			for (const e of [cross, ...marks])
				e.style.visibility = 'hidden';
		});
	}
	function drawLines(parent, plot, weight) {
		const series = shown(plot);
		const chart = newChart(parent, WIDTH, HEIGHT,
			`${plot.title}: ${plot.y_label} by ${plot.x_label}, ${series.length} lines`);
		const xAxis = axisOf(plot.series.flatMap((s) => s.x), true);
		const yAxis = axisOf(plot.series.flatMap((s) => s.y), false);
		const { x, y } = drawAxes(chart.svg, plot, xAxis, yAxis);
		const curves = series.map((s) => {
			const values = ordered(s), ys = weight === null ? values.y : smoothed(values.y, weight);
			const pointsOf = (list) => thinned(list.map((v, i) =>
				({ x: x(values.x[i]), y: v === null ? NaN : y(v), key: values.x[i], value: v })));
			if (weight)
				colour(add(chart.svg, 'path', { class: 'series raw', d: pathOf(pointsOf(values.y)) }), s.revision);
			return { s, points: pointsOf(ys) };
		});
		for (const c of curves) {
			colour(add(chart.svg, 'path', { class: 'series', d: pathOf(c.points), 'stroke-dasharray': dashOf(plot, c.s) }), c.s.revision);
			if (c.points.length === 1)
				colour(add(chart.svg, 'circle', { class: 'dots', cx: place(c.points[0].x), cy: place(c.points[0].y), r: 4 }), c.s.revision);
		}
		if (plot.template !== 'simple')
			followLines(chart, plot, curves, xAxis);
	}
	function drawSmooth(parent, plot) {
		const holder = add(parent, 'div');
		const control = add(parent, 'label', { class: 'smooth' });
		control.append('smoothing');
		const input = add(control, 'input', { type: 'range', min: 0, max: 0.98, step: 0.02, value: plot.smoothing ?? 0.6 });
		const redraw = () => {
			holder.replaceChildren();
			drawLines(holder, plot, Number(input.value));
		};
		input.addEventListener('input', () => {
			plot.smoothing = input.value;
			redraw();
		});
		redraw();
	}
	function drawDots(parent, plot) {
		const series = shown(plot);
		const chart = newChart(parent, WIDTH, HEIGHT,
			`${plot.title}: ${plot.y_label} against ${plot.x_label}`);
		const { x, y } = drawAxes(chart.svg, plot, axisOf(plot.series.flatMap((s) => s.x), false),
			axisOf(plot.series.flatMap((s) => s.y), false));
		const points = [];
		for (const s of series) {
			const every = Math.ceil(s.y.length / MOST_DOTS);
			s.y.forEach((v, i) => {
				const p = { s, x: x(s.x[i]), y: y(v), key: s.x[i], value: v };
				if (i % every || Number.isNaN(p.x) || Number.isNaN(p.y))
					return;
				points.push(p);
				colour(add(chart.svg, 'circle', { class: 'dots', cx: place(p.x), cy: place(p.y), r: 3.5 }), s.revision);
			});
			if (every > 1)
				add(parent, 'p', { class: 'note' }, `${titleOf(plot, s)}: every ${every}th of ${s.y.length} points is drawn`);
		}
		chart.svg.addEventListener('pointermove', (event) => {
			const at = pointer(chart, event);
			const near = points.reduce((best, p) => {
				const far = Math.hypot(p.x - at.x, p.y - at.y);
				return far < best.far ? { far, p } : best;
			}, { far: 24 }).p;
			chart.tip.hidden = !near;
			if (near)
				showTip(chart, event, [{ revision: near.s.revision, text: titleOf(plot, near.s) },
					{ text: plot.x_label, value: tidy(near.key) }, { text: plot.y_label, value: tidy(near.value) }]);
		});
		chart.svg.addEventListener('pointerleave', () => { chart.tip.hidden = true; });
	}
	/* Words as people sort them: 2 before 10. */
	const byName = (a, b) => a.localeCompare(b, 'en', { numeric: true });
	function wordsOf(plot) {
		const words = new Set();
		for (const s of plot.series)
			for (const v of [...s.x, ...s.y])
				words.add(String(v));
		return [...words].sort(byName);
	}
	function countsOf(s, words) {
		const index = new Map(words.map((w, i) => [w, i]));
		const counts = words.map(() => words.map(() => 0));
		s.y.forEach((v, i) => { counts[index.get(String(v))][index.get(String(s.x[i]))]++; });
		return counts;
	}
	function drawMatrix(parent, plot, s, words, normalized) {
		const figure = add(parent, 'figure');
		const caption = add(figure, 'figcaption');
		colour(add(caption, 'span', { class: 'dot' }), s.revision);
		caption.append(titleOf(plot, s));
		const longest = Math.max(...words.map((w) => w.length));
		const left = Math.min(34 + longest * 7, 150), top = 8, cell = Math.max(26, Math.min(56, 400 / words.length));
		const size = cell * words.length, width = left + size + 8, height = top + size + 46;
		const chart = newChart(figure, width, height, `${plot.title}, ${s.revision}: ${words.length} by ${words.length} classes`);
		chart.box.style.maxWidth = `${Math.max(width, 300)}px`;
		const counts = countsOf(s, words);
		const sums = counts.map((row) => row.reduce((a, b) => a + b, 0));
		const most = Math.max(1, ...counts.flat());
		counts.forEach((row, r) => row.forEach((count, c) => {
			const share = normalized ? (sums[r] ? count / sums[r] : 0) : count / most;
			const x = place(left + c * cell), y = place(top + r * cell);
			const e = colour(add(chart.svg, 'rect', { class: count ? 'cell' : 'cell-none', x, y, width: place(cell), height: place(cell), rx: 3,
				'fill-opacity': count ? place(0.12 + 0.88 * share) : '' }), s.revision);
			if (count && cell >= 26)
				add(chart.svg, 'text', { class: share > 0.6 ? 'count strong' : 'count', x: place(left + (c + 0.5) * cell),
					y: place(top + (r + 0.5) * cell), dy: '.35em', 'text-anchor': 'middle' },
					normalized ? share.toFixed(2) : String(count));
			e.addEventListener('pointermove', (event) => showTip(chart, event, [
				{ text: plot.y_label, value: words[r] }, { text: plot.x_label, value: words[c] },
				{ text: normalized ? 'share of its row' : 'count', value: normalized ? `${share.toFixed(4)} (${count} of ${sums[r]})` : count }]));
		}));
		chart.svg.addEventListener('pointerleave', () => { chart.tip.hidden = true; });
		words.forEach((w, i) => {
			const most = Math.floor((left - 30) / 7), short = w.length > most ? w.slice(0, most - 1) + '…' : w;
			const fits = Math.floor(cell / 7), below = w.length > fits ? w.slice(0, Math.max(fits - 1, 1)) + '…' : w;
			add(chart.svg, 'text', { x: left - 7, y: place(top + (i + 0.5) * cell), dy: '.35em', 'text-anchor': 'end' }, short);
			add(chart.svg, 'text', { x: place(left + (i + 0.5) * cell), y: top + size + 16, 'text-anchor': 'middle' }, below);
		});
		add(chart.svg, 'text', { class: 'label', x: left + size / 2, y: height - 6, 'text-anchor': 'middle' }, plot.x_label);
		add(chart.svg, 'text', { class: 'label', 'text-anchor': 'middle', transform: `translate(12 ${top + size / 2}) rotate(-90)` }, plot.y_label);
	}
	function drawMatrices(parent, plot) {
		const box = add(parent, 'div', { class: 'matrices' });
		const words = wordsOf(plot);
		if (words.length > 100) {
			add(parent, 'p', { class: 'note' }, `${words.length} different values are too many for a matrix; 100 are drawn at most`);
			return;
		}
		for (const s of shown(plot))
			drawMatrix(box, plot, s, words, plot.template === 'confusion_normalized');
	}
	/* Numbers on x, words on y; series beside each other. */
	function drawBars(parent, plot) {
		const series = shown(plot);
		let words = [...new Set(plot.series.flatMap((s) => s.y.map(String)))];
		if (plot.template === 'bar_horizontal_sorted' && plot.series.length) {
			const first = new Map(plot.series[0].y.map((w, i) => [String(w), plot.series[0].x[i]]));
			words.sort((a, b) => (first.get(b) ?? -Infinity) - (first.get(a) ?? -Infinity));
		}
		const cut = words.length - 60;
		words = words.slice(0, 60);
		const thick = Math.max(9, Math.min(20, 44 / Math.max(series.length, 1)));
		const group = thick * Math.max(series.length, 1) + 10;
		const left = Math.min(220, 30 + 7 * Math.max(...words.map((w) => w.length), 1)), top = MARGIN.top;
		const bottom = top + group * words.length, right = WIDTH - 50;
		const chart = newChart(parent, WIDTH, bottom + MARGIN.bottom, `${plot.title}: ${plot.x_label} of ${words.length} ${plot.y_label}`);
		const axis = axisOf([0, ...plot.series.flatMap((s) => s.x)].filter((v) => typeof v === 'number'), false);
		const x = scaleOf(axis, left, right);
		for (const t of axis.ticks) {
			const at = place(x.tick(t));
			add(chart.svg, 'line', { class: 'grid', x1: at, x2: at, y1: top, y2: bottom });
			add(chart.svg, 'text', { x: at, y: bottom + 18, 'text-anchor': 'middle' }, tidy(t));
		}
		words.forEach((w, i) => {
			const most = Math.floor((left - 16) / 7);
			add(chart.svg, 'text', { x: left - 8, y: place(top + (i + 0.5) * group), dy: '.35em', 'text-anchor': 'end' },
				w.length > most ? w.slice(0, most - 1) + '…' : w);
			series.forEach((s, k) => {
				const at = s.y.findIndex((v) => String(v) === w), value = s.x[at];
				if (at < 0 || !isNumber(value))
					return;
				const from = x(Math.min(0, value)), to = x(Math.max(0, value)), y = top + i * group + 5 + k * thick;
				const bar = colour(add(chart.svg, 'rect', { class: 'bar', x: place(from), y: place(y), width: place(to - from),
					height: place(thick - 1.5), rx: 2 }), s.revision);
				add(chart.svg, 'text', { x: place(to + 5), y: place(y + thick / 2 - 0.75), dy: '.35em' }, tidy(value));
				bar.addEventListener('pointermove', (event) => showTip(chart, event, [{ text: w },
					{ revision: s.revision, text: titleOf(plot, s), value: tidy(value) }]));
			});
		});
		chart.svg.addEventListener('pointerleave', () => { chart.tip.hidden = true; });
		add(chart.svg, 'line', { class: 'axis', x1: place(x(0)), x2: place(x(0)), y1: top, y2: bottom });
		add(chart.svg, 'text', { class: 'label', x: (left + right) / 2, y: bottom + 40, 'text-anchor': 'middle' }, plot.x_label);
		if (cut > 0)
			add(parent, 'p', { class: 'note' }, `${cut} more are not drawn`);
	}
	function drawImages(parent, plot) {
		const box = add(parent, 'div', { class: 'images' });
		for (const image of plot.images.filter((i) => !hidden.has(i.revision))) {
			const figure = add(box, 'figure'), caption = add(figure, 'figcaption');
			colour(add(caption, 'span', { class: 'dot' }), image.revision);
			caption.append(image.revision);
			const img = add(figure, 'img', { src: image.src, alt: `${plot.title} of ${image.revision}` });
			img.addEventListener('error', () => img.replaceWith(Object.assign(document.createElement('p'),
				{ className: 'note', textContent: `not an image of the type ${image.type}` })));
		}
	}

	/* --- the page --- */

	/* What the dashes mean, where a plot has several fields. */
	function drawNames(parent, plot) {
		const names = namesOf(plot);
		if (names.length < 2)
			return;
		const box = add(parent, 'div', { class: 'names' });
		for (const name of names) {
			const item = add(box, 'span');
			const svg = add(item, 'svg', { viewBox: '0 0 30 8', 'aria-hidden': 'true' });
			add(svg, 'line', { x1: 1, x2: 29, y1: 4, y2: 4, stroke: 'currentColor', 'stroke-width': 2,
				'stroke-dasharray': DASHES[names.indexOf(name) % DASHES.length] });
			item.append(name);
		}
	}
	function drawPlot(section, plot) {
		section.replaceChildren();
		add(add(section, 'div', { class: 'head' }), 'h2', {}, plot.title);
		if (plot.id !== plot.title)
			add(section, 'p', { class: 'from' }, plot.id);
		else
			add(section, 'p', { class: 'from' }, '');
		if (plot.images.length)
			drawImages(section, plot);
		if (plot.series.length) {
			if (plot.template.startsWith('scatter'))
				drawDots(section, plot);
			else if (plot.template.startsWith('confusion'))
				drawMatrices(section, plot);
			else if (plot.template.startsWith('bar_'))
				drawBars(section, plot);
			else if (plot.template === 'smooth')
				drawSmooth(section, plot);
			else
				drawLines(section, plot, null);
			if (!plot.template.startsWith('confusion') && !plot.template.startsWith('bar_'))
				drawNames(section, plot);
		}
		for (const note of plot.notes)
			add(section, 'p', { class: 'note' }, note);
	}
	function isWide(plot) {
		return plot.images.length > 1 || (plot.template.startsWith('confusion') && plot.series.length > 1);
	}
	function draw() {
		const main = document.querySelector('main');
		main.replaceChildren();
		for (const plot of data.plots)
			drawPlot(add(main, 'section', { class: isWide(plot) ? 'wide' : '' }), plot);
	}
	function drawLegend() {
		const legend = document.querySelector('.legend');
		for (const revision of data.revisions) {
			const button = add(legend, 'button', { type: 'button', 'aria-pressed': 'true', title: 'show or hide this revision' });
			colour(add(button, 'span', { class: 'dot' }), revision);
			button.append(revision);
			button.addEventListener('click', () => {
				if (!hidden.delete(revision))
					hidden.add(revision);
				button.setAttribute('aria-pressed', String(!hidden.has(revision)));
				draw();
			});
		}
	}
	function setTheme(theme) {
		document.documentElement.dataset.theme = theme;
		document.querySelector('.theme').textContent = theme === 'dark' ? 'light' : 'dark';
	}
	setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
	document.querySelector('.theme').addEventListener('click', () => {
		setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
	});
	drawLegend();
	draw();
})();
