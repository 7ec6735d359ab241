// biome-ignore-all format: generated
// biome-ignore-all lint: generated
/**
 * The shapes of the server's answers. Generated from `crates/http-api/src/typescript.rs`:
 * `UPDATE=1 cargo test -p masthead-http-api typescript` writes it anew, and a test compares.
 */

export type Role = "view" | "admin";

export type WhoAmI = { 
/**
 * Whether the server has passwords at all. If not, everybody may do everything.
 */
loginWanted: boolean, 
/**
 * Who is logged in; nothing for nobody, and where no login is wanted.
 */
user: string | null, 
/**
 * What they may do; nothing for nobody.
 */
role: Role | null, 
/**
 * Whether there is a session that `POST /api/logout` ends.
 */
session: boolean, };

export type Hit = { uid: string, title: string, uri: string, url: string, type: string, tags: Array<string>, isStarred: boolean, folderTitle?: string, };

export type Meta = { type: string, 
/**
 * Whether it was saved here, so that it can be changed.
 */
canSave: boolean, canEdit: boolean, canDelete: boolean, canAdmin: boolean, slug: string, url: string, folderTitle: string, 
/**
 * Whether it came from a file that is not changed here.
 */
provisioned: boolean, provisionedExternalId: string, };

export type Saved = { uid: string, url: string, status: string, 
/**
 * To be sent with the next change.
 */
version: number, slug: string, };

export type Language = "promql" | "logql";

export type Outcome = "done" | "failed" | "cancelled";

export type QueryShown = { language: Language, query: string, startMs: number, 
/**
 * The same as `startMs` for an instant.
 */
endMs: number, 
/**
 * Nothing for an instant, and for lines.
 */
stepMs: number | null, beganMs: number, };

export type Touched = { 
/**
 * Samples, or lines.
 */
samples: number, 
/**
 * Series, or streams.
 */
series: number, blocks: number, 
/**
 * Compressed bytes that were decoded.
 */
decodedBytes: number, };

export type Span = { what: string, startSeconds: number, tookSeconds: number, };

export type Explain = { queuedSeconds: number, totalSeconds: number, spans: Array<Span>, 
/**
 * Samples, or lines.
 */
samples: number, 
/**
 * Series, or streams.
 */
series: number, blocks: number, 
/**
 * Compressed bytes that were decoded.
 */
decodedBytes: number, };

export type RunningQuery = { 
/**
 * For `DELETE /api/queries/ID`.
 */
id: number, 
/**
 * Whether it still waits for a place.
 */
waits: boolean, elapsedSeconds: number, touched: Touched, language: Language, query: string, startMs: number, 
/**
 * The same as `startMs` for an instant.
 */
endMs: number, 
/**
 * Nothing for an instant, and for lines.
 */
stepMs: number | null, beganMs: number, };

export type SlowQuery = { id: number, outcome: Outcome, explain: Explain, language: Language, query: string, startMs: number, 
/**
 * The same as `startMs` for an instant.
 */
endMs: number, 
/**
 * Nothing for an instant, and for lines.
 */
stepMs: number | null, beganMs: number, };

export type Queries = { 
/**
 * The oldest first.
 */
running: Array<RunningQuery>, 
/**
 * Of the last hour, the slowest first.
 */
slowest: Array<SlowQuery>, };

export type LabelSet = Readonly<Record<string, string>>;

export type Envelope<T> = { status: 'success', data: T, warnings?: Array<string>, infos?: Array<string>, };

export type ErrorAnswer = { status: 'error', errorType: string, error: string, };

export type Point = [number, string];

export type HistogramValue = { count: string, sum: string, buckets?: Array<[number, string, string, string]>, };

export type HistogramPoint = [number, HistogramValue];

export type Series = { metric: LabelSet, value?: Point, values?: Array<Point>, histogram?: HistogramPoint, histograms?: Array<HistogramPoint>, };

export type PrometheusData = { "resultType": "vector", "result": Array<Series> } | { "resultType": "matrix", "result": Array<Series> } | { "resultType": "scalar", "result": Point } | { "resultType": "string", "result": Point };

export type ActiveTarget = { discoveredLabels: LabelSet, labels: LabelSet, scrapePool: string, scrapeUrl: string, globalUrl: string, lastError: string, lastScrape: string, lastScrapeDuration: number, health: 'up' | 'down' | 'unknown', scrapeInterval: string, scrapeTimeout: string, };

export type DroppedTarget = { discoveredLabels: LabelSet, scrapePool: string, };

export type Targets = { activeTargets: Array<ActiveTarget>, droppedTargets: Array<DroppedTarget>, droppedTargetCounts: { [key in string]: number } | null, };

export type Alert = { labels: LabelSet, annotations: LabelSet, state: 'firing' | 'pending' | 'inactive' | 'unknown', activeAt?: string, keepFiringSince?: string, value: string, };

export type Alerts = { alerts: Array<Alert>, };

export type Rule = { type: 'alerting' | 'recording', name: string, query: string, labels: LabelSet, health: 'ok' | 'err' | 'unknown', lastError?: string, evaluationTime: number, lastEvaluation: string, state?: 'firing' | 'pending' | 'inactive' | 'unknown', duration?: number, keepFiringFor?: number, annotations?: LabelSet, alerts?: Array<Alert>, };

export type RuleGroup = { name: string, file: string, rules: Array<Rule>, interval: number, limit: number, evaluationTime: number, lastEvaluation: string, };

export type RuleGroups = { groups: Array<RuleGroup>, groupNextToken?: string, };

export type Count = { name: string, value: number, };

export type HeadStats = { numSeries: number, numLabelPairs: number, chunkCount: number, minTime: number, maxTime: number, };

export type Cardinality = { headStats: HeadStats, seriesCountByMetricName: Array<Count>, labelValueCountByLabelName: Array<Count>, memoryInBytesByLabelName: Array<Count>, seriesCountByLabelValuePair: Array<Count>, };

export type ConfigText = { yaml: string, };

export type BuildInfo = { version: string, revision: string, branch: string, buildUser: string, buildDate: string, goVersion: string, mastheadVersion: string, };

export type LogParts = { structuredMetadata?: LabelSet, parsed?: LabelSet, };

export type LogStream = { stream: LabelSet, values: (readonly [ns: string, line: string, parts?: LogParts])[], };

export type LokiData = { "resultType": "streams", "result": Array<LogStream> } | { "resultType": "vector", "result": Array<Series> } | { "resultType": "matrix", "result": Array<Series> } | { "resultType": "scalar", "result": Point };
