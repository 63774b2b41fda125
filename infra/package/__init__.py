"""Builds what a deployment uploads, named by its content: `python -m infra.package build|upload|upload-code`.

| in `build/releases/<name>/` | for |
|---|---|
| `run.py`, `jobs.zip`, `python-<architecture>.tar.gz`, `jars/` | job runs on EMR Serverless |
| `dags/` | MWAA's DAG prefix, where the same import root holds; with the release's name in `release.txt` |
| `plugins.zip`, `requirements.txt`, `startup.sh` | the MWAA environment |
| `sbom.json`, `licences.zip`, `SHA256SUMS` | people and scanners |
"""
