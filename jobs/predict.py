"""spark-submit jobs/predict.py CONF: scores the test table with the trained network. `--help` lists the options.

On a cluster: spark-submit --master yarn --archives environment.tar.gz#environment jobs/predict.py CONF
where the archive holds a Python with sparkdl, and PYSPARK_PYTHON is ./environment/bin/python.
"""

from sparkdl.cli.main import job

if __name__ == "__main__":
    job("predict")
