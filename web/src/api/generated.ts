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

export type Hit = { uid: string, title: string, uri: string, url: string, type: string, tags: ReadonlyArray<string>, isStarred: boolean, folderTitle?: string, };

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

export type Explain = { queuedSeconds: number, totalSeconds: number, spans: ReadonlyArray<Span>, 
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

export type SlowQuery = { 
/**
 * The same for all runs that are counted here.
 */
id: number, 
/**
 * How often it ran since it is among the slowest: the same text, over as long a range, with the
 * same step.
 */
times: number, outcome: Outcome, explain: Explain, language: Language, query: string, startMs: number, 
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
running: ReadonlyArray<RunningQuery>, 
/**
 * The slowest runs of the last hour, each of another query, the slowest first.
 */
slowest: ReadonlyArray<SlowQuery>, };

export type ResourceState = "scraped" | "empty" | "rejected" | "taken";

export type Resource = { kind: string, namespace: string, name: string, state: ResourceState, 
/**
 * Why it is empty or rejected.
 */
reason: string, 
/**
 * The scrape pools that it became.
 */
pools: ReadonlyArray<string>, };

export type Pool = { name: string, active: number, dropped: number, 
/**
 * Why nothing is scraped; empty where something is.
 */
reason: string, };

export type Discovery = { pools: ReadonlyArray<Pool>, resources: ReadonlyArray<Resource>, 
/**
 * What discovery cannot do now, such as what the API server refuses.
 */
problems: ReadonlyArray<string>, };

export type LabelSet = Readonly<Record<string, string>>;

export type Envelope<T> = { status: 'success', data: T, warnings?: ReadonlyArray<string>, infos?: ReadonlyArray<string>, };

export type ErrorAnswer = { status: 'error', errorType: string, error: string, };

export type Point = readonly [seconds: number, value: string];

export type HistogramValue = { count: string, sum: string, buckets?: ReadonlyArray<readonly [number, string, string, string]>, };

export type HistogramPoint = readonly [seconds: number, value: HistogramValue];

export type Series = { metric: LabelSet, value?: Point, values?: ReadonlyArray<Point>, histogram?: HistogramPoint, histograms?: ReadonlyArray<HistogramPoint>, };

export type PrometheusData = { "resultType": "vector", "result": ReadonlyArray<Series> } | { "resultType": "matrix", "result": ReadonlyArray<Series> } | { "resultType": "scalar", "result": Point } | { "resultType": "string", "result": Point };

export type ActiveTarget = { discoveredLabels: LabelSet, labels: LabelSet, scrapePool: string, scrapeUrl: string, globalUrl: string, lastError: string, lastScrape: string, lastScrapeDuration: number, health: 'up' | 'down' | 'unknown', scrapeInterval: string, scrapeTimeout: string, };

export type DroppedTarget = { discoveredLabels: LabelSet, scrapePool: string, };

export type Targets = { activeTargets: ReadonlyArray<ActiveTarget>, droppedTargets: ReadonlyArray<DroppedTarget>, droppedTargetCounts: { [key in string]: number } | null, };

export type RelabelStep = { rule: Readonly<Record<string, unknown>>, output: LabelSet, keep: boolean, };

export type RelabelSteps = { steps: ReadonlyArray<RelabelStep>, };

export type Metadata = { type: string, help: string, unit: string, };

export type ExemplarPoint = { labels: LabelSet, value: string, 
/**
 * Seconds since 1970.
 */
timestamp: number, };

export type ExemplarSeries = { seriesLabels: LabelSet, exemplars: ReadonlyArray<ExemplarPoint>, };

export type Alert = { labels: LabelSet, annotations: LabelSet, state: 'firing' | 'pending' | 'inactive' | 'unknown', activeAt?: string, keepFiringSince?: string, value: string, };

export type Alerts = { alerts: ReadonlyArray<Alert>, };

export type Rule = { type: 'alerting' | 'recording', name: string, query: string, labels: LabelSet, health: 'ok' | 'err' | 'unknown', lastError?: string, evaluationTime: number, lastEvaluation: string, state?: 'firing' | 'pending' | 'inactive' | 'unknown', duration?: number, keepFiringFor?: number, annotations?: LabelSet, alerts?: ReadonlyArray<Alert>, };

export type RuleGroup = { name: string, file: string, rules: ReadonlyArray<Rule>, interval: number, limit: number, evaluationTime: number, lastEvaluation: string, };

export type RuleGroups = { groups: ReadonlyArray<RuleGroup>, groupNextToken?: string, };

export type Count = { name: string, value: number, };

export type HeadStats = { numSeries: number, numLabelPairs: number, chunkCount: number, minTime: number, maxTime: number, };

export type Cardinality = { headStats: HeadStats, seriesCountByMetricName: ReadonlyArray<Count>, labelValueCountByLabelName: ReadonlyArray<Count>, memoryInBytesByLabelName: ReadonlyArray<Count>, seriesCountByLabelValuePair: ReadonlyArray<Count>, };

export type ConfigText = { yaml: string, };

export type BuildInfo = { version: string, revision: string, branch: string, buildUser: string, buildDate: string, goVersion: string, mastheadVersion: string, };

export type RuntimeInfo = { startTime: string, CWD: string, hostname: string, serverTime: string, reloadConfigSuccess: boolean, lastConfigTime: string, corruptionCount: number, goroutineCount: number, GOMAXPROCS: number, GOMEMLIMIT: number, GOGC: string, GODEBUG: string, storageRetention: string, };

export type Measured = { value: number | string, };

export type Metric = { label?: ReadonlyArray<{ name: string, value: string }>, counter?: Measured, gauge?: Measured, untyped?: Measured, histogram?: Readonly<Record<string, unknown>>, };

export type MetricFamily = { name: string, help?: string, type: string, unit?: string, metric: ReadonlyArray<Metric>, };

export type LogParts = { structuredMetadata?: LabelSet, parsed?: LabelSet, };

export type LogStream = { stream: LabelSet, values: ReadonlyArray<readonly [ns: string, line: string, parts?: LogParts]>, };

export type LokiData = { "resultType": "streams", "result": ReadonlyArray<LogStream> } | { "resultType": "vector", "result": ReadonlyArray<Series> } | { "resultType": "matrix", "result": ReadonlyArray<Series> } | { "resultType": "scalar", "result": Point };

export type DroppedEntry = { timestamp: string, labels: string, };

export type TailMessage = { streams: ReadonlyArray<LogStream>, dropped_entries?: ReadonlyArray<DroppedEntry>, encodingFlags?: ReadonlyArray<string>, };

export type DetectedField = { label: string, type: string, cardinality: number, parsers: ReadonlyArray<string> | null, };

export type DetectedFields = { fields: ReadonlyArray<DetectedField> | null, };
