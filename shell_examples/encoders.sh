#!/usr/bin/env bash
# Which encoders there are, and what one of them is.
set -euo pipefail

oea models list
oea models info mini
oea models list -f json | grep -c '"licence"'          # how many come with a licence of their own
oea models bench mini --seconds 5 --number 4 --rounds 1      # how fast it is on this machine
