//go:build unix

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

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
		return checkFormat(text)
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

// checkFormat looks for what nobody finished, as Wave does where no schema is
// named: the text has to be a JSON object that is not empty, and none of its own
// texts may hold a word that stands for work to be done.
func checkFormat(text []byte) error {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return fmt.Errorf("the file is no JSON object: %w", err)
	}
	if len(object) == 0 {
		return errors.New("the JSON object is empty")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		value, _ := object[name].(string)
		for _, unfinished := range []string{"TODO", "FIXME", "XXX", "[placeholder]", "TBD"} {
			if strings.Contains(value, unfinished) {
				return fmt.Errorf("the field %q holds %s", name, unfinished)
			}
		}
	}
	return nil
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
