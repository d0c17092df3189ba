// SPDX-License-Identifier: Apache-2.0
// What the minifier of LuCI's packages does to a file, in our words: comments go, white space goes where neither side is
// part of a name, and a line's end stays only where the next line may begin a statement. It knows strings, and regular
// expressions by what stands before them; a `/` inside of `[…]` confuses it, so here that is an error.

const isWord = (sign) => /[A-Za-z0-9_$\\]/.test(sign) || sign > '~';

// Behind these a slash begins a regular expression.
const BEFORE_EXPRESSION = '(,=:[!&|?+-~*/{}\n;';
// A line's end stays between one of the first and one of the second, or words.
const ENDS_STATEMENT = '}])+-"\'`';
const BEGINS_STATEMENT = '{[(+-!~';

export function minify(text) {
	let out = '';
	let gap = '';
	let before = '\n';

	const put = (piece) => {
		const first = piece[0];

		if (gap == '\n') {
			if ((isWord(before) || ENDS_STATEMENT.includes(before)) && (isWord(first) || BEGINS_STATEMENT.includes(first)))
				out += '\n';
			else if (isWord(before) && isWord(first))
				out += ' ';
		}
		else if (gap == ' ' && (isWord(before) && isWord(first) || before == first && '+-'.includes(first)))
			out += ' ';

		gap = '';
		out += piece;
		before = piece[piece.length - 1];
	};

	for (let i = 0; i < text.length;) {
		const sign = text[i];
		const next = text[i + 1];

		if (sign == '\n' || sign == '\r') {
			gap = '\n';
			i++;
		}
		else if (sign <= ' ') {
			gap = gap || ' ';
			i++;
		}
		else if (sign == '/' && next == '/') {
			while (i < text.length && text[i] != '\n')
				i++;
		}
		else if (sign == '/' && next == '*') {
			const end = text.indexOf('*/', i + 2);

			if (end < 0)
				throw new Error('a comment does not end');

			gap = gap || ' ';
			i = end + 2;
		}
		else if ('"\'`'.includes(sign) || sign == '/' && BEFORE_EXPRESSION.includes(gap == '\n' && !BEFORE_EXPRESSION.includes(before) ? '\n' : before)) {
			const begun = i++;
			let inClass = false;

			while (text[i] != sign || inClass) {
				if (i >= text.length || text[i] == '\n' && sign != '`')
					throw new Error(`what begins with ${text.substring(begun, begun + 20)} does not end`);
				if (text[i] == '\\')
					i++;
				else if (sign == '/') {
					inClass = text[i] == '[' || inClass && text[i] != ']';

					if (inClass && text[i] == '/')
						throw new Error(`a slash in brackets: ${text.substring(begun, i + 5)}`);
				}

				i++;
			}

			put(text.substring(begun, ++i));
		}
		else {
			put(sign);
			i++;
		}
	}

	return `${out}\n`;
}
