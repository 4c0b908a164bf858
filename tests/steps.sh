# What the scripts share that build something in steps: tests/board, benchmarks/instructions.
# shellcheck shell=bash

# run_step FOLDER STEP [CODE]: run a step in a shell of its own, its output in FOLDER/STEP.log; if
# it fails, show the end of that, and end with the code. (Bash forgets -e in what `if` runs.)
run_step() {
    local step=$2 log=$1/$2.log code=${3:-1} start=$SECONDS status
    set +e
    (set -e; "$step") > "$log" 2>&1
    status=$?
    set -e
    if [ "$status" != 0 ]; then
        tail -n 20 "$log" >&2
        echo "the step '$step' failed; see $log" >&2
        exit "$code"
    fi
    echo "  $step: $((SECONDS - start)) s"
}
