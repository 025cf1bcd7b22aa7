/** The tag that names a run's commit. MLflow 3.17.2 leaves the field `source_version` of a run empty. */
export const COMMIT_TAG = 'mlflow.source.git.commit';

/** Measurements of the machine, which MLflow keeps among a run's metrics. */
export function isSystemMetric(name: string): boolean {
  return name.startsWith('system/');
}
