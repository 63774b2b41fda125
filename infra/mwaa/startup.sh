#!/bin/sh
# The start-up script of the MWAA environment. MWAA sources it in each container before Airflow starts, and gives Airflow
# what it exports; it sets nothing of Sluice's by itself. Whatever the script's exit code, the environment starts; and
# if the script dies half-way, nothing of it is kept. So it goes on, and its log and each DAG's tasks name what is missing.
#
# The deployment puts the settings in place of the line that holds the word SETTINGS between two at signs, one line
# each: export NAME='value'. No value holds a quote or a line end, and none is a secret: this file can be read by all
# who read the code bucket. The release's name is not among them: the DAGs read it in their own tree.
#
#   SLUICE_PROJECT             prefix of the names of secrets, topics and metrics
#   SLUICE_LAKE_BUCKET         bucket of the lake
#   SLUICE_CODE_BUCKET         bucket of releases
#   SLUICE_LOGS_BUCKET         bucket of job runs' logs
#   SLUICE_EMR_APPLICATION_ID  EMR Serverless application
#   SLUICE_EMR_ARCHITECTURE    of that application: ARM64 or X86_64
#   SLUICE_EMR_ROLE_ARN        role that job runs have; {kind} in it stands for the kind of job
#   SLUICE_ALERT_TOPICS        what the ARNs of the alerts' topics begin with; -<severity> follows
#   SLUICE_MWAA_ENVIRONMENT    name of this environment
#   SLUICE_SCHEDULE_START      first day of the schedules, YYYY-MM-DD: the day of the first deployment, unless a start is
#                              given. Later deployments keep it. Each day before today is a run to make up for:
#                              python -m sluice_airflow.missed_runs SLUICE_SCHEDULE_START says how many there will be
# Optional:
#   SLUICE_SCHEDULE_END         last day of the schedules
#   SLUICE_WORKER_WAIT_SECONDS  how long a worker waits for a job run before it hands the wait over; 0 unless set
#   SLUICE_DRIVER_<NAME>        becomes <NAME> in the environment of every job's driver, such as
#                               SLUICE_DRIVER_FX_RATES_URL, SLUICE_DRIVER_KAFKA_SSL_CA_FILE='s3://…/authority.pem'
#   SLUICE_OPENLINEAGE_URL      service that takes OpenLineage events; empty: the lake keeps them
# Region: MWAA sets AWS_REGION in its own processes, and job runs get the same.
@SETTINGS@

# Airflow's own lineage goes where that of the jobs goes.
export OPENLINEAGE__TRANSPORT__TYPE=sluice_airflow.lineage.transport.LakeTransport
export AIRFLOW__OPENLINEAGE__NAMESPACE="${SLUICE_PROJECT:-}"

for name in SLUICE_PROJECT SLUICE_LAKE_BUCKET SLUICE_CODE_BUCKET SLUICE_LOGS_BUCKET SLUICE_EMR_APPLICATION_ID \
  SLUICE_EMR_ARCHITECTURE SLUICE_EMR_ROLE_ARN SLUICE_ALERT_TOPICS SLUICE_MWAA_ENVIRONMENT SLUICE_SCHEDULE_START; do
  eval "value=\${$name:-}"
  if [ -z "$value" ]; then
    echo "ERROR: $name is not set: put it among the settings of the deployment" >&2
  fi
done
unset name value
