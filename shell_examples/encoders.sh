#!/usr/bin/env bash
# Which encoders there are, what one of them is, whether its numbers are right here, and a copy of it.
set -euo pipefail

oea models list
oea models info mini
oea models list -f json | grep -c '"licence"'          # how many come with a licence of their own
oea models check mini                                   # against the 300 s front end and the bare model
oea models export mini -o my-mini -f sentence-transformers
oea models bench mini --seconds 5 --number 4 --rounds 1      # how fast it is on this machine
