"""`python -m oea_cli` is the same program as `oea`."""

from oea_cli.main import app

if __name__ == "__main__":
    app(prog_name="oea")
