package redact

import (
	"encoding/json"
	"html"
	"strings"
	"testing"
)

// wrapped are a text in what texts of several lines stand in: a string of JSON, a
// log that puts the time before each line, a diff, and a block of YAML.
func wrapped(text string) map[string]string {
	object, _ := json.Marshal(map[string]string{"output": text})
	before := func(prefix string) string {
		return prefix + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+strings.ReplaceAll(prefix, "1", "2")) + "\n"
	}
	return map[string]string{
		"plain": text, "JSON": string(object), "log": before("2026-12-01T08:00:01.123Z | "), "diff": "@@ -0,0 +1,9 @@\n" + before("+"), "diff of what goes": before("-"), "YAML": "content: |\n" + before("    "),
	}
}

// What tells a secret by the lines around it does so wherever these lines stand.
func TestLinesAreReadBehindWhatStandsBeforeThem(t *testing.T) {
	m := maker{newRand()}
	for _, v := range []string{m.alnum(14), m.from(lowerCase, 6) + "-" + m.from(lowerCase, 5) + m.from(digits10, 2)} {
		for name, text := range map[string]string{
			"a block":                "smtp:\n  password: |\n    " + v + "\n  port: 25\n",
			"a folded block":         "secret: >-\n  " + v + "\nnext: x\n",
			"a block in a list":      "- secret: |\n    " + v + "\n- other\n",
			"pgpass":                 "db1.internal:5432:orders:svc_orders:" + v + "\n*:*:*:admin:" + v + "\n",
			"curl over lines":        "curl -X PUT \\\n  -u 'svc:" + v + "' \\\n  https://x\n",
			"XML":                    "<server>\n  <username>deploy</username>\n  <password>" + v + "</password>\n</server>\n",
			"XML in HTML":            html.EscapeString("<password>" + v + "</password>"),
			"the value on a line":    "password:\n" + v + "\nnext\n",
			"a quoted value below":   "api_key:\n  \"" + v + "\"\n",
			"curl in a list":         `["curl","-u","svc:` + v + `","https://x"]`,
			"curl in a spaced list":  `["curl", "--user", "svc:` + v + `"]`,
			"sshpass in a list":      `["sshpass","-p","` + v + `","ssh","x"]`,
			"mysql in a list":        `["mysql","-uroot","-p` + v + `"]`,
			"a key of a service":     "supabase_service_key=" + strings.ReplaceAll(v, "-", "") + "aB3\n",
			"a dotted one in a line": "the smtp_password: q7Rt.B" + v[len(v)-4:] + "x2 is set\n",
		} {
			secret := v
			switch {
			case strings.Contains(text, "service_key"):
				secret = strings.ReplaceAll(v, "-", "") + "aB3"
			case strings.Contains(text, "q7Rt"):
				secret = "q7Rt"
			}
			for in, form := range wrapped(text) {
				if strings.Contains(form, `\u0026lt;`) {
					continue // escaped twice
				}
				out, found := Text(form)
				if strings.Contains(out, secret) || len(found) == 0 {
					t.Errorf("%s, %s: %q gives %q", name, in, form, out)
				}
				for _, kept := range []string{"next", "deploy", "port: 25", "https://x", "other", "is set"} {
					if strings.Contains(form, kept) && !strings.Contains(out, kept) {
						t.Errorf("%s, %s: %q takes %q as well: %q", name, in, form, kept, out)
					}
				}
				if again, _ := Text(out); again != out {
					t.Errorf("%s, %s: %q becomes %q", name, in, out, again)
				}
			}
		}
	}
	for _, text := range []string{
		"password:\nLogin incorrect\n", "secret:\n  name: db-password\n  key: v1\n", "password:\n  process.env.DB_PASSWORD,\n", "Enter token:\nstep 2 of 3\n", "password: |\n", `["mysql","-p","-e","select 1"]`,
		"token:\n  - read_v1\n", "2026-12-01T08:00:01Z 10:4500:a:b\n", "at x.go:1234:main:run:5\n", "sig := check.instantiateSignature(x.Pos(), arguments)", "must_pass=false:\n",
	} {
		if out, found := Text(text); out != text {
			t.Errorf("%q becomes %q: %v", text, out, found)
		}
	}
}
