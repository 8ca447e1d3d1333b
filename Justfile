# The tasks are those of cmd/dev and the commands of cmd/wavedeck: `go run ./cmd/dev` lists them with their descriptions.

# List the recipes.
default:
    @just --list --unsorted

# Serve an example project with live runs.
demo *ARGS:
    go run ./cmd/wavedeck demo {{ARGS}}

# Serve a project: just serve --project ../mine
serve *ARGS:
    go run ./cmd/wavedeck serve {{ARGS}}

# Check a project: just doctor --project ../mine
doctor *ARGS:
    go run ./cmd/wavedeck doctor {{ARGS}}

# Show every view in every state, from fixed data.
gallery *ARGS:
    go run ./cmd/gallery {{ARGS}}

# A task of cmd/dev: just dev lint
dev *ARGS:
    go run ./cmd/dev {{ARGS}}

# Generated files, vet and fast tests, in under a minute.
quick:
    go run ./cmd/dev quick

# Everything that CI checks.
test:
    go run ./cmd/dev test
