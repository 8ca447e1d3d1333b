package keys

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// JSON is the table as keys.js reads it: an array per binding of id, keys, scope,
// hint, verb, argument and needed selector. static/keys.json holds it.
func JSON() ([]byte, error) {
	var b bytes.Buffer
	before := byte('[')
	for _, k := range Table() {
		b.WriteByte(before)
		b.WriteByte('\n')
		row, err := encode([]any{k.ID, k.Keys, k.Scope, k.Hint, k.Do.Verb, k.Do.Arg, k.Do.Needs})
		if err != nil {
			return nil, fmt.Errorf("encode key %s: %w", k.ID, err)
		}
		b.Write(row)
		before = ','
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}

// encode leaves the > of selectors as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}
