package redact

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	hexUp  = digits10 + "ABCDEF"
	bech32 = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
)

// hexOf is hexadecimal and has a digit and a letter.
func (m maker) hexOf(n int) string { return "a3" + m.from(hex16, n-2) }

func (m maker) uuid() string {
	return m.hexOf(8) + "-" + m.from(hex16, 4) + "-4" + m.from(hex16, 3) + "-a" + m.from(hex16, 3) + "-" + m.from(hex16, 12)
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// serviceTokens makes a token of each form of each service, which is known by its
// looks.
func (m maker) serviceTokens() map[Kind][]string {
	letters := upperCase + lowerCase
	return map[Kind][]string{
		HuggingFace:  {"h" + "f_" + m.from(letters, 34), "api" + "_org_" + m.from(letters, 34)},
		DigitalOcean: {"do" + "p_v1_" + m.from(hex16, 64), "do" + "o_v1_" + m.from(hex16, 64), "do" + "r_v1_" + m.from(hex16, 64)},
		SendGrid:     {"S" + "G." + m.url64(22) + "." + m.url64(43)},
		Vault:        {"hv" + "s." + m.url64(95), "hv" + "b." + m.url64(180), "s" + "." + m.alnum(24), "hv" + "s." + m.alnum(24)},
		Databricks:   {"da" + "pi" + m.hexOf(32), "da" + "pi" + m.hexOf(32) + "-2"},
		DockerHub:    {"dckr" + "_pat_" + m.url64(27), "dckr" + "_oat_" + m.alnum(32)},
		Atlassian:    {"ATA" + "TT3" + m.url64(180) + "=" + m.from(hexUp, 8), "ATC" + "TT3" + m.url64(180) + "=" + m.from(hexUp, 8), "AT" + "BB" + m.alnum(32)},
		Terraform:    {m.alnum(14) + ".atlas" + "v1." + m.url64(67)},
		Discord:      {strings.TrimRight(b64("4"+m.from(digits10, 17)), "=") + "." + m.url64(6) + "." + m.url64(38), strings.TrimRight(b64("1"+m.from(digits10, 18)), "=") + "." + m.url64(6) + "." + m.url64(27)},
		Telegram:     {"7" + m.from(digits10, 9) + ":A" + "A" + m.url64(33)},
		Twilio:       {"S" + "K" + m.hexOf(32)},
		Mailgun:      {"ke" + "y-" + m.hexOf(32), m.hexOf(32) + "-" + m.hexOf(8) + "-" + m.hexOf(8)},
		Shopify:      {"shp" + "at_" + m.hexOf(32), "shp" + "ca_" + m.hexOf(32), "shp" + "pa_" + m.hexOf(32), "shp" + "ss_" + m.hexOf(32)},
		Linear:       {"lin" + "_api_" + m.alnum(40), "lin" + "_oauth_" + m.hexOf(64)},
		Notion:       {"nt" + "n_" + m.from(digits10, 11) + m.alnum(35), "sec" + "ret_" + m.alnum(43)},
		Figma:        {"fig" + "d_" + m.url64(40)},
		Grafana:      {"gl" + "sa_" + m.alnum(32) + "_" + m.from(hex16, 8), "gl" + "c_" + b64(`{"o":"12`+m.from(digits10, 4)+`","n":"x-y","k":"`+m.alnum(30)+`","m":{"r":"eu"}}`), b64(`{"k":"` + m.alnum(32) + `","n":"ci","id":1}`)},
		NewRelic:     {"NR" + "AK-" + m.from(upperCase+digits10, 27), m.hexOf(32) + "FFFF" + "NR" + "AL", "NR" + "JS-" + m.hexOf(19), "NR" + "II-" + m.url64(32)},
		Sentry:       {"sntr" + "ys_" + b64(`{"iat":17051`+m.from(digits10, 5)+`,"url":"https://sentry.io","org":"x"}`) + "_" + m.alnum(43), "sntr" + "yu_" + m.hexOf(64)},
		Postman:      {"PM" + "AK-" + m.hexOf(24) + "-" + m.hexOf(34)},
		RubyGems:     {"ruby" + "gems_" + m.hexOf(48)},
		CratesIO:     {"c" + "io" + m.alnum(32)},
		Vercel:       {"vc" + "p_" + m.alnum(56), "vc" + "k_" + m.alnum(56), "vercel" + "_blob_rw_" + m.alnum(16) + "_" + m.alnum(30)},
		Supabase:     {"sb" + "p_" + m.hexOf(40), "sb_" + "secret_" + m.url64(31)},
		PlanetScale:  {"pscale" + "_pw_" + m.url64(43), "pscale" + "_tkn_" + m.url64(43), "pscale" + "_oauth_" + m.url64(43)},
		Groq:         {"gs" + "k_" + m.alnum(52)},
		XAI:          {"xa" + "i-" + m.alnum(80)},
		Replicate:    {"r" + "8_" + m.alnum(37)},
		Fly:          {"fm" + "2_" + m.alnum(80) + "+/" + m.alnum(60) + "==", "fm" + "1r_" + m.alnum(120), "fo" + "1_" + m.url64(43)},
		Heroku:       {"HRK" + "U-AA" + m.url64(58), "HRK" + "U-" + m.uuid()},
		MongoDBAtlas: {"mdb" + "_sa_sk_" + m.url64(40)},
		Square:       {"sq0" + "atp-" + m.url64(22), "sq0" + "csp-" + m.url64(43), "EA" + "AA" + m.url64(60)},
		Artifactory:  {"AK" + "Cp" + m.alnum(69), "cm" + "Vmd" + m.alnum(59)},
		Age:          {"AGE-" + "SECRET-KEY-1" + m.from(bech32, 58)},
		PasswordHash: {"$2" + "b$12$" + m.from(alnum+"./", 53), "$6" + "$" + m.alnum(16) + "$" + m.from(alnum+"./", 86), "$1" + "$" + m.alnum(8) + "$" + m.from(alnum+"./", 22), "$5" + "$rounds=5000$" + m.alnum(16) + "$" + m.from(alnum+"./", 43), "$argon2" + "id$v=19$m=65536,t=3,p=4$" + m.alnum(22) + "$" + m.from(alnum, 43), "$apr" + "1$" + m.alnum(8) + "$" + m.from(alnum+"./", 22), "$" + "y$j9T$" + m.alnum(22) + "$" + m.from(alnum+"./", 43)},
	}
}

// webhooks are addresses whose path is the secret.
func (m maker) webhooks() map[Kind][]sample {
	id := m.from("123456789", 18)
	secret := m.url64(68)
	group := m.uuid() + "@" + m.uuid() + "/Incoming" + "Webhook/" + m.hexOf(32) + "/" + m.uuid()
	return map[Kind][]sample{
		Discord: {{text: "https://disc" + "ord.com/api/webhooks/" + id + "/" + secret, secret: []string{secret}}},
		Teams: {
			{text: "https://example.webhook." + "office.com/webhookb2/" + group, secret: []string{group[len(group)-20:]}},
			{text: "https://prod-12.westeurope.logic." + "azure.com:443/workflows/" + m.hexOf(32) + "/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=" + secret[:43], secret: []string{secret[:43]}},
		},
		Telegram: {{text: "https://api.tele" + "gram.org/bot7" + id[:9] + ":A" + "A" + secret[:33] + "/getMe", secret: []string{secret[:33]}}},
	}
}

// namedOnly are secrets that only their names tell.
func (m maker) namedOnly() map[string]sample {
	named := func(v string, names ...string) sample {
		return sample{secret: []string{v}, text: strings.Join(names, " ")}
	}
	return map[string]sample{
		"Heroku by name":        named(m.uuid(), "HEROKU_API_KEY", "heroku_api_key"),
		"MongoDB Atlas by name": named(m.uuid(), "MONGODB_ATLAS_PRIVATE_KEY", "private_key"),
		"Atlassian by name":     named(m.from(alnum, 22)+"a7", "JIRA_API_TOKEN", "atlassian.api-token"),
		"Twilio by name":        named(m.hexOf(32), "TWILIO_AUTH_TOKEN", "authToken"),
		"Vercel by name":        named(m.alnum(24), "VERCEL_TOKEN"),
		"Artifactory by name":   named(m.alnum(40), "ARTIFACTORY_API_KEY", "X-JFrog-Art-Api-Key"),
		"New Relic by name":     named(m.hexOf(40), "NEW_RELIC_LICENSE_KEY", "license_key"),
		"Docker Hub by name":    named(m.uuid(), "DOCKERHUB_TOKEN", "DOCKER_PASSWORD"),
		"Postgres by name":      named(m.alnum(14), "PGPASSWORD", "MYSQL_PWD"),
	}
}

// structures are texts in which the form around a secret tells it.
func (m maker) structures() []sample {
	var all []sample
	v := m.from(lowerCase, 4) + m.from(digits10, 3) + m.from(upperCase, 3)
	login := b64("robot:" + v)
	add := func(kind, text string, secret ...string) {
		if len(secret) == 0 {
			secret = []string{v}
		}
		all = append(all, sample{kind, text, secret})
	}
	for _, text := range []string{
		"machine git.example.com login bob password " + v, "machine git.example.com\n  login bob\n  password " + v + "\n\nmachine b.example.com\n",
		"default login bob password " + v + "\n", `{"file":"machine a.example.com\n\tlogin bob\n\tpassword ` + v + `\n"}`, "$ cat ~/.netrc\nmachine a\nlogin bob\npassword " + v + "\n",
	} {
		add(".netrc", text)
	}
	for _, text := range []string{
		`{"auths":{"https://index.docker.io/v1/":{"auth":"` + login + `"}}}`, "{\n  \"auths\": {\n    \"ghcr.io\": {\n      \"auth\": \"" + login + "\",\n      \"email\": \"a@example.com\"\n    }\n  }\n}",
		`"{\"auths\":{\"ghcr.io\":{\"auth\":\"` + login + `\"}}}"`, `auth: ` + login + "\n", `DOCKER_AUTH_CONFIG={"auths":{"a":{"auth":"` + login + `"}}}`,
	} {
		add("docker config", text, login)
	}
	token := m.alnum(64)
	add("docker config", `{"auths":{"a.azurecr.io":{"identitytoken":"`+token+`"}}}`, token)
	key := m.pem("EC PRIVATE KEY", 121)
	encoded := b64(key + "\n")
	for _, text := range []string{
		"users:\n- name: admin\n  user:\n    client-certificate-data: " + b64("-----BEGIN CERTIFICATE-----\nMIIB") + "\n    client-key-data: " + encoded + "\n",
		`{"users":[{"name":"admin","user":{"client-key-data":"` + encoded + `"}}]}`,
	} {
		add("kube config", text, encoded[20:80], encoded[90:150])
	}
	add("kube config", "users:\n- name: sa\n  user:\n    token: "+token+"\n", token)
	add("kube config", "users:\n- name: sa\n  user:\n    username: bob\n    password: "+v+"\n")
	for _, text := range []string{"_auth=" + login + "\n", "//registry.example.com/:_auth=" + login, "always-auth=true\n_auth = \"" + login + "\"\n", "npm config set _auth=" + login} {
		add(".npmrc _auth", text, login)
	}
	add(".npmrc _auth", "//registry.example.com/:_password="+b64(v)+"\n", b64(v))
	for _, text := range []string{
		"db.example.com:5432:app:bob:" + v, "*:*:*:postgres:" + v + "\n", "# local\nlocalhost:5432:*:bob:" + v + "\nother.example.com:6432:a-b:c_d:" + v + "\n", "$ cat ~/.pgpass\n10.0.0.7:5432:app:bob:" + v,
	} {
		add(".pgpass", text)
	}
	raw := make([]byte, 300)
	for i := range raw {
		raw[i] = byte(m.IntN(256))
	}
	var private []string
	for rest := base64.StdEncoding.EncodeToString(raw); rest != ""; rest = rest[min(64, len(rest)):] {
		private = append(private, rest[:min(64, len(rest))])
	}
	mac := m.hexOf(64)
	putty := "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nComment: me\nPublic-Lines: 1\nAAAAB3NzaC1yc2EAAAADAQABAAABAQC7\nPrivate-Lines: " + strconv.Itoa(len(private)) + "\n" + strings.Join(private, "\n") + "\nPrivate-MAC: " + mac + "\n"
	escaped, _ := json.Marshal(putty)
	before, _, _ := strings.Cut(putty, "Private-MAC")
	for _, text := range []string{putty, strings.ReplaceAll(putty, "\n", "\r\n"), string(escaped), "key: |\n  " + strings.ReplaceAll(putty, "\n", "\n  "), before} {
		add("PuTTY key", text, append(slices.Clone(private[:len(private)-1]), mac)...)
	}
	for _, text := range []string{
		"env:\n  - name: DB_PASSWORD\n    value: " + v + "\n  - name: MODE\n    value: fast\n", `[{"name":"DB_PASSWORD","value":"` + v + `"},{"name":"A","value":"b"}]`,
		"{\n  \"name\": \"API_TOKEN\",\n  \"value\": \"" + token + "\"\n}", `{"Key":"client_secret","Value":"` + v + `"}`, `"[{\"name\":\"DB_PASSWORD\",\"value\":\"` + v + `\"}]"`,
		`{"value":"` + v + `","name":"DB_PASSWORD"}`, "- key: secret\n  value: \"" + v + "\"\n",
	} {
		if strings.Contains(text, token) {
			add("name/value list", text, token)
			continue
		}
		add("name/value list", text)
	}
	for _, text := range []string{
		"password: |\n  " + v + "\nnext: 1\n", "a:\n  password: |-\n    " + v + "\n    more" + v + "\n  next: 1\n", "- secret: >-\n    " + v + "\n- other\n", "passphrase: |2\r\n    " + v + "\r\n", "db:\n    password: >\n        " + v,
	} {
		add("YAML block", text)
	}
	for _, text := range []string{
		`<add key="DbPassword" value="` + v + `" />`, `<db user="bob" password="` + v + `"/>`, "<password>" + v + "</password>", "<server><id>a</id><password><![CDATA[" + v + "]]></password></server>",
		`<entry key="db.password">` + v + `</entry>`, `<property name="secret" value='` + v + `'/>`, "<key>Password</key>\n<string>" + v + "</string>", `<add name="Db" connectionString="Server=a;User=b;Password=` + v + `;Timeout=5"/>`, "<ns2:passwd>" + v + "</ns2:passwd>",
	} {
		add("XML", text)
	}
	wrapped := encoded[:76] + "\n" + encoded[76:152] + "\n" + encoded[152:]
	for _, text := range []string{encoded, "tls.key: " + encoded + "\n", `{"key":"` + encoded + `"}`, wrapped, strings.ReplaceAll(wrapped, "\n", `\n`), "KEY=" + encoded, "key: |\n  " + strings.ReplaceAll(wrapped, "\n", "\n  ") + "\n", "https://example.com/?k=" + encoded} {
		add("base64 of PEM", text, encoded[20:70], encoded[80:150], encoded[len(encoded)-20:len(encoded)-4])
	}
	for shift := range 3 {
		other := b64(strings.Repeat("\n", shift) + key)
		add("base64 of PEM", "data: "+other, other[30:90])
	}
	session := m.alnum(26)
	for _, text := range []string{
		"Cookie: session=" + session, "> Cookie: theme=dark; sid=" + session + "; lang=en\r\n> Accept: */*", "Set-Cookie: sid=" + session + "; Path=/; HttpOnly", `{"Cookie":"sid=` + session + `"}`, `{"set-cookie":["sid=` + session + `; Path=/"]}`,
		"curl -H 'Cookie: sid=" + session + "' https://example.com", "curl -b 'sid=" + session + "' https://example.com", "HTTP_COOKIE=sid=" + session, "cookie: sid=" + session, "curl -s -b sid=" + session + " https://example.com",
	} {
		add("cookie", text, session)
	}
	for _, text := range []string{
		"curl -u bob:" + v + " https://example.com", "curl -ubob:" + v + " https://example.com", "curl -sS --user bob:" + v + " https://example.com", "curl --user 'bob:" + v + "' -X POST https://example.com",
		"+ curl -fsSu \"bob:" + v + "\" https://example.com", "curl \\\n  -X POST \\\n  -u bob:" + v + " \\\n  https://example.com", `{"cmd":"curl -u bob:` + v + ` https://example.com"}`, "curl --proxy-user bob:" + v + " https://example.com", `["curl","-u","bob:` + v + `"]`,
	} {
		if !strings.HasPrefix(text, "[") {
			add("curl -u", text)
		}
	}
	for _, text := range []string{"mysql -u root -p" + v + " app", "mysqldump -h db -uroot -p" + v + " app > x.sql", "mysql -uroot -p'" + v + "' -e 'select 1'", "mysqladmin --password=" + v + " status", "mariadb -u a -p" + v, `{"cmd":"mysql -p` + v + ` app"}`} {
		add("mysql -p", text)
	}
	for _, text := range []string{"sshpass -p " + v + " ssh a@b", "sshpass -p" + v + " scp x a@b:", "sshpass -p '" + v + "' ssh a@b", "SSHPASS=" + v + " sshpass -e ssh a@b", `{"cmd":"sshpass -p ` + v + ` ssh a@b"}`} {
		add("sshpass -p", text)
	}
	for _, text := range []string{"root:" + v + "@tcp(127.0.0.1:3306)/app", "DSN=app:" + v + "@tcp(db:3306)/app?parseTime=true", `{"dsn":"app:` + v + `@tcp(db:3306)/app"}`, "dsn: app:" + v + "@unix(/run/mysqld.sock)/app", "dsn: app:p@" + v + "@tcp(db:3306)/app", "sql.Open(\"mysql\", \"app:" + v + "@tcp([::1]:3306)/app\")"} {
		add("Go MySQL DSN", text)
	}
	for _, text := range []string{"db_user: a\nldap: {SSHA}" + b64(token[:24]), "userPassword: {SSHA512}" + b64(token)} {
		add("LDAP hash", text, b64(token[:24])[:30])
	}
	return all
}

// sixForms are a token in plain text, in an environment, in JSON, in YAML, in an
// address and in a header.
func sixForms(token string) []string {
	object, _ := json.Marshal(map[string]any{"a": 1, "value_of_it": token, "list": []string{token}})
	return []string{
		"we use " + token + " for that, and " + token + ".", "export X=" + token + "\nY='" + token + "'\nZ=\"" + token + "\"\n", string(object), "a:\n  b: " + token + "\n  c: \"" + token + "\"\n  - " + token + "\n",
		"https://example.com/v1/x?k=" + url.QueryEscape(token) + "&z=1 and https://example.com/" + url.PathEscape(token) + "/x", "> X-Thing: " + token + "\r\n> Authorization: Bearer " + token + "\r\n",
	}
}

// serviceSamples are all of these, ten times.
func serviceSamples() (all []sample) {
	for seed := range uint64(10) {
		m := maker{rand.New(rand.NewPCG(seed, 11))}
		tokens := m.serviceTokens()
		for _, kind := range slices.Sorted(maps.Keys(tokens)) {
			for _, token := range tokens[kind] {
				secret := []string{token, url.QueryEscape(token), url.PathEscape(token)}
				for _, text := range slices.Concat(sixForms(token), around(token)) {
					all = append(all, sample{string(kind), text, secret})
				}
			}
		}
		hooks := m.webhooks()
		for _, kind := range slices.Sorted(maps.Keys(hooks)) {
			for _, hook := range hooks[kind] {
				for _, text := range slices.Concat(sixForms(hook.text), around(hook.text)) {
					all = append(all, sample{string(kind) + " address", text, append(hook.secret, url.QueryEscape(hook.secret[0]))})
				}
			}
		}
		names := m.namedOnly()
		for _, kind := range slices.Sorted(maps.Keys(names)) {
			for name := range strings.FieldsSeq(names[kind].text) {
				for _, text := range append(m.assignments(name, names[kind].secret[0]), "> "+name+": "+names[kind].secret[0]+"\r\n") {
					all = append(all, sample{kind, text, names[kind].secret})
				}
			}
		}
		all = append(all, m.structures()...)
	}
	return all
}

func TestSecretsOfServicesAndFilesAreHidden(t *testing.T) {
	samples, missed := map[string]int{}, map[string]int{}
	for _, s := range serviceSamples() {
		samples[s.kind]++
		out, found := Text(s.text)
		for _, secret := range s.secret {
			if strings.Contains(out, secret) || len(found) == 0 {
				if missed[s.kind]++; missed[s.kind] <= 3 {
					t.Errorf("%s: %q is left:\n%q\ngives\n%q", s.kind, secret, s.text, out)
				}
				break
			}
		}
		if twice, again := Text(out); twice != out {
			t.Errorf("%s: %q becomes %q by %v", s.kind, out, twice, again)
		}
	}
	total, left := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(samples)) {
		total, left = total+samples[kind], left+missed[kind]
		t.Logf("%-24s %5d samples %3d missed", kind, samples[kind], missed[kind])
		if samples[kind] < 10 {
			t.Errorf("%s has %d samples only", kind, samples[kind])
		}
	}
	t.Logf("%d samples of %d kinds, %d missed", total, len(samples), left)
}
