//go:build unix

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"wavedeck/store/manifest"
)

// contractTypes are the checks that this engine makes.
func contractTypes() []string {
	return []string{"non_empty_file", "json_schema", "test_suite", "format"}
}

// maxChecked is the largest file that a contract looks into, in bytes.
const maxChecked = 64 << 20

// checkContracts looks at what the step left. An error ends the attempt.
func (s *stepRun) checkContracts(ctx context.Context) error {
	for _, c := range s.step.Contracts {
		s.event(event{step: s.step.ID, state: "validating", message: "Validating " + contractName(c) + " contract"})
		err := s.checkContract(ctx, c)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			s.event(event{step: s.step.ID, state: "contract_passed", message: c.Type + " contract passed"})
			continue
		}
		err = fmt.Errorf("contract validation failed [%s]: %w", c.Type, err)
		if soft(c) {
			s.event(event{step: s.step.ID, state: "contract_soft_failure", message: err.Error()})
			continue
		}
		s.event(event{step: s.step.ID, state: "contract_failed", message: err.Error()})
		if c.OnFailure == "rejected" {
			return &rejection{err}
		}
		class := "contract_failure"
		if c.Type == "test_suite" {
			class = "test_failure"
		}
		return &failure{class: class, err: fmt.Errorf("contract validation failed: %w", err)}
	}
	return nil
}

// soft reports whether the step may go on without the contract. on_failure
// decides, and where it is not given, must_pass.
func soft(c manifest.Contract) bool {
	switch c.OnFailure {
	case "warn", "continue", "skip":
		return true
	case "":
		return !c.MustPass
	default:
		return false
	}
}

func contractName(c manifest.Contract) string {
	if c.SchemaPath != "" {
		return path.Base(c.SchemaPath)
	}
	return c.Type
}

func (s *stepRun) checkContract(ctx context.Context, c manifest.Contract) error {
	if c.Type == "test_suite" {
		return s.testSuite(ctx, c)
	}
	text, err := s.checked(c)
	if err != nil {
		return err
	}
	switch c.Type {
	case "non_empty_file":
		if len(bytes.TrimSpace(text)) == 0 {
			return errors.New("the file is empty")
		}
		return nil
	case "format":
		return checkFormat(s.source(c), text)
	default:
		return s.jsonSchema(c, text)
	}
}

// source is the file that a contract is about, within the workspace: the one it
// names, or the step's first output.
func (s *stepRun) source(c manifest.Contract) string {
	switch {
	case c.Source != "":
		return path.Clean(s.values.fill(c.Source))
	case len(s.step.OutputArtifacts) > 0:
		return path.Join(artifactsDir, s.step.ID, archiveName(s.step.OutputArtifacts[0]))
	default:
		return "."
	}
}

func (s *stepRun) checked(c manifest.Contract) ([]byte, error) {
	root, err := os.OpenRoot(s.workspace)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := openPlain(root, s.source(c))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxChecked+1))
	if err == nil && len(text) > maxChecked {
		err = fmt.Errorf("the file is larger than %d bytes", maxChecked)
	}
	return text, err
}

// checkFormat checks that a file is what its ending says: JSON, JSON lines or
// YAML; anything else has to be text that is not empty.
func checkFormat(name string, text []byte) error {
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		var any json.RawMessage
		return json.Unmarshal(text, &any)
	case ".jsonl", ".ndjson":
		for i, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
			if !json.Valid(line) {
				return fmt.Errorf("line %d is not JSON", i+1)
			}
		}
		return nil
	case ".yaml", ".yml":
		return yaml.Unmarshal(text, new(yaml.Node))
	}
	switch {
	case !utf8.Valid(text):
		return errors.New("the file is not text in UTF-8")
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("the file is empty")
	default:
		return nil
	}
}

func (s *stepRun) jsonSchema(c manifest.Contract, text []byte) error {
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("the file is not JSON: %w", err)
	}
	schema, err := s.schema(c)
	if err != nil {
		return &failure{class: "deterministic", final: true, err: err}
	}
	return schema.Validate(document)
}

func (s *stepRun) schema(c manifest.Contract) (*jsonschema.Schema, error) {
	compiler := jsonschema.NewCompiler() // it loads files only
	if c.SchemaPath != "" {
		file := filepath.FromSlash(c.SchemaPath)
		if !filepath.IsAbs(file) {
			file = filepath.Join(s.project.Root, file)
		}
		return compiler.Compile(file)
	}
	inline, err := jsonschema.UnmarshalJSON(strings.NewReader(c.Schema))
	if err != nil {
		return nil, fmt.Errorf("the contract's schema is not JSON: %w", err)
	}
	if err := compiler.AddResource("contract.json", inline); err != nil {
		return nil, err
	}
	return compiler.Compile("contract.json")
}

// testSuite runs a command in the workspace. What it prints is recorded as that
// of the step.
func (s *stepRun) testSuite(ctx context.Context, c manifest.Contract) error {
	script, err := bindScript(c.Command)
	if err != nil {
		return err
	}
	end, err := s.exec(ctx, s.shell(script))
	if err != nil && end.tail != "" {
		err = fmt.Errorf("%w\n%s", err, end.tail)
	}
	return err
}
