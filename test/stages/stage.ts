export interface StageResult {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
}

/** One part of `npm test`: prints what it does, and counts it. */
export interface Stage {
  readonly name: string;
  /** What it proves, for the plan that is printed first. */
  readonly what: string;
  run(): Promise<Omit<StageResult, "name">>;
}
