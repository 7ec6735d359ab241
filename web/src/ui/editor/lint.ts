/** Errors underlined where they are: the server reads the expression as it is typed. */

import { type Diagnostic, linter } from '@codemirror/lint';
import { ApiError, ask } from '../../api/http';
import { masked, problemIn } from './problem';

const PATHS = { promql: '/api/v1/parse_query', logql: '/loki/api/v1/format_query' } as const;
/** Longer expressions are read when they run. */
const LENGTH_MAX = 20_000;

export function errors(language: 'promql' | 'logql') {
  return linter(
    async (view): Promise<readonly Diagnostic[]> => {
      const expr = view.state.doc.toString();
      if (expr.trim() === '' || expr.length > LENGTH_MAX) return [];
      try {
        await ask(PATHS[language], { query: masked(expr) });
        return [];
      } catch (error) {
        // A server that does not answer says nothing about the expression.
        if (!(error instanceof ApiError) || error.status >= 500 || error.status === 401) return [];
        const problem = problemIn(error.message, expr);
        return problem === undefined ? [] : [{ ...problem, severity: 'error' }];
      }
    },
    { delay: 500 },
  );
}
