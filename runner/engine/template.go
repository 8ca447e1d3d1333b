package engine

import (
	"fmt"
	"regexp"
)

// values are what the templates of one step stand for, by name.
type values map[string]string

// variables name the environment variable that carries each template's value
// to a script. They are set for every command, templates or not.
func variables() map[string]string {
	return map[string]string{
		"input":         "WAVE_INPUT",
		"pipeline_id":   "WAVE_RUN_ID",
		"pipeline_name": "WAVE_PIPELINE",
		"step_id":       "WAVE_STEP_ID",
	}
}

// environ gives the values to a process.
func (v values) environ() []string {
	var env []string
	for name, variable := range variables() {
		env = append(env, variable+"="+v[name])
	}
	return env
}

var templateForm = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_.\-]*)\s*\}\}`)

// foreign begin the templates that Wave fills in and this engine does not.
// Anything else in double braces belongs to the script: other tools use them too.
var foreign = regexp.MustCompile(`^(steps|artifacts?|item|iteration|loop|gate|project|forge|ontology|outputs)(\.|$)`)

// checkTemplates tells the first template in text that has no value here.
func checkTemplates(text string) error {
	for _, m := range templateForm.FindAllStringSubmatch(text, -1) {
		if foreign.MatchString(m[1]) {
			return fmt.Errorf("the template %q", m[0])
		}
	}
	return nil
}

// fill puts the values into text that is not code, such as a prompt. It looks
// at text once: a template within a value stays as it is.
func (v values) fill(text string) string {
	return templateForm.ReplaceAllStringFunc(text, func(template string) string {
		name := templateForm.FindStringSubmatch(template)[1]
		if value, ok := v[name]; ok {
			return value
		}
		return template
	})
}
