/** The tag that names a run's commit. The field `source_version` of a run is always empty since MLflow 1.0. */
export const COMMIT_TAG = 'mlflow.source.git.commit';

/** Measurements of the machine, which MLflow keeps among a run's metrics. */
export function isSystemMetric(name: string): boolean {
  return name.startsWith('system/');
}
