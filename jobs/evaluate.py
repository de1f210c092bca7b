"""spark-submit jobs/evaluate.py CONF: measures the trained network on the test table. `--help` lists the options.

On a cluster: spark-submit --master yarn --archives environment.tar.gz#environment jobs/evaluate.py CONF
where the archive holds a Python with sparkdl, and PYSPARK_PYTHON is ./environment/bin/python.
"""

from sparkdl.cli.main import job

if __name__ == "__main__":
    job("evaluate")
