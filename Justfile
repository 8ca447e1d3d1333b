# List the recipes.
default:
    @just --list --unsorted

# Serve an example project with live runs; needs nothing.
demo *ARGS:
    go run ./cmd/wavedeck demo {{ARGS}}

# Serve the project in a folder, this one unless told: just serve --project ../mine
serve *ARGS:
    go run ./cmd/wavedeck serve {{ARGS}}

# Tell what is found of a project: database, schema, manifest, pipelines.
doctor *ARGS:
    go run ./cmd/wavedeck doctor {{ARGS}}

# Show every component in every state, from fixed data.
gallery *ARGS:
    go run ./cmd/gallery {{ARGS}}

# Write *_templ.go from the templates.
gen:
    go run ./cmd/dev gen

# Fail when a *_templ.go file is not what its template gives.
gen-check:
    go run ./cmd/dev gen-check

# Fail when a vendored file is not the one its SHA256SUMS names.
vendor-check:
    go run ./cmd/dev vendor-check

# gofmt, go vet, golangci-lint.
lint:
    go run ./cmd/dev lint

# Compile everything, and the program without cgo.
build:
    go run ./cmd/dev build

# Find Chromium for the browser tests; on Debian, as root, install it.
browser:
    go run ./cmd/dev browser

# Run the tests with the race detector, browser tests included.
go-test:
    go run ./cmd/dev go-test

# Everything CI checks, as recipes.
ci: browser gen-check vendor-check lint build go-test

# Everything CI checks, in one program, as .ci/run does.
test:
    go run ./cmd/dev test

# Run the benchmarks; arguments go to go test: just bench -count=6
bench *ARGS:
    go run ./cmd/dev bench {{ARGS}}
