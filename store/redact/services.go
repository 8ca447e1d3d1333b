package redact

// The tokens of services other than those of rules, by the prefixes and lengths
// that the services document.
var serviceRules = []rule{
	{prefix: "hf_", kind: HuggingFace, class: classAlnum, min: 30, max: 48, check: letterCases},
	{prefix: "api_org_", kind: HuggingFace, class: classAlnum, min: 30, max: 48, check: letterCases},
	{prefix: "dop_v1_", kind: DigitalOcean, class: classAlnum, min: 40, inWord: true},
	{prefix: "doo_v1_", kind: DigitalOcean, class: classAlnum, min: 40, inWord: true},
	{prefix: "dor_v1_", kind: DigitalOcean, class: classAlnum, min: 40, inWord: true},
	{prefix: "SG.", kind: SendGrid, class: classDotted, min: 60, max: 72, check: mixed},
	{prefix: "hvs.", kind: Vault, class: classURL, min: 24, check: vault, noCall: true},
	{prefix: "hvb.", kind: Vault, class: classURL, min: 24, check: vault, noCall: true},
	{prefix: "hvr.", kind: Vault, class: classURL, min: 24, check: vault, noCall: true},
	{prefix: "s.", kind: Vault, class: classWord, min: 24, max: 24, check: legacyVault, noCall: true},
	{prefix: "dapi", kind: Databricks, class: classURL, min: 32, max: 34, check: lowHex},
	{prefix: "dose", kind: Databricks, class: classURL, min: 32, max: 34, check: lowHex},
	{prefix: "dckr_pat_", kind: DockerHub, class: classURL, min: 20, inWord: true},
	{prefix: "dckr_oat_", kind: DockerHub, class: classURL, min: 20, inWord: true},
	{prefix: "ATATT3", kind: Atlassian, class: classPadded, min: 40, inWord: true},
	{prefix: "ATCTT3", kind: Atlassian, class: classPadded, min: 40, inWord: true},
	{prefix: "ATBB", kind: Atlassian, class: classAlnum, min: 28, max: 34, check: mixed},
	{prefix: "discord.com/api/webhooks/", kind: Discord, class: classPath, min: 40, inWord: true, keep: true},
	{prefix: "discordapp.com/api/webhooks/", kind: Discord, class: classPath, min: 40, inWord: true, keep: true},
	{prefix: "discord.com%2Fapi%2Fwebhooks%2F", kind: Discord, class: classEncoded, min: 40, inWord: true, keep: true},
	{prefix: "webhook.office.com/webhookb2/", kind: Teams, class: classPath, min: 40, inWord: true, keep: true},
	{prefix: "outlook.office.com/webhook/", kind: Teams, class: classPath, min: 40, inWord: true, keep: true},
	{prefix: "outlook.office365.com/webhook/", kind: Teams, class: classPath, min: 40, inWord: true, keep: true},
	{prefix: "webhook.office.com%2Fwebhookb2%2F", kind: Teams, class: classEncoded, min: 40, inWord: true, keep: true},
	{prefix: "SK", kind: Twilio, class: classAlnum, min: 32, max: 32, check: lowHex},
	{prefix: "key-", kind: Mailgun, class: classAlnum, min: 32, max: 32, check: hasDigit},
	{prefix: "shpat_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "shpca_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "shppa_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "shpss_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "shpua_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "shptka_", kind: Shopify, class: classAlnum, min: 32, inWord: true},
	{prefix: "lin_api_", kind: Linear, class: classAlnum, min: 32, inWord: true},
	{prefix: "lin_oauth_", kind: Linear, class: classAlnum, min: 32, inWord: true},
	{prefix: "lin_wh_", kind: Linear, class: classAlnum, min: 32, inWord: true},
	{prefix: "ntn_", kind: Notion, class: classAlnum, min: 40, max: 50, check: hasDigit},
	{prefix: "secret_", kind: Notion, class: classAlnum, min: 43, max: 43, check: mixed},
	{prefix: "figd_", kind: Figma, class: classURL, min: 36, check: mixed},
	{prefix: "figu_", kind: Figma, class: classURL, min: 36, check: mixed},
	{prefix: "figo_", kind: Figma, class: classURL, min: 36, check: mixed},
	{prefix: "glsa_", kind: Grafana, class: classWord, min: 36, inWord: true},
	{prefix: "glc_", kind: Grafana, class: classPadded64, min: 32, check: mixed},
	{prefix: "eyJrIjoi", kind: Grafana, class: classPadded64, min: 40},
	{prefix: "NRAK-", kind: NewRelic, class: classAlnum, min: 27, max: 27, inWord: true},
	{prefix: "NRII-", kind: NewRelic, class: classURL, min: 32, max: 40},
	{prefix: "NRIQ-", kind: NewRelic, class: classURL, min: 32, max: 40},
	{prefix: "NRAA-", kind: NewRelic, class: classAlnum, min: 27, max: 32},
	{prefix: "NRRA-", kind: NewRelic, class: classAlnum, min: 27, max: 42},
	{prefix: "NRSP-", kind: NewRelic, class: classAlnum, min: 27, max: 42},
	{prefix: "NRJS-", kind: NewRelic, class: classAlnum, min: 19, max: 19, check: lowHex},
	{prefix: "NRAL", kind: NewRelic, match: findNewRelicLicense},
	{prefix: "sntrys_", kind: Sentry, class: classPadded64, min: 40, inWord: true},
	{prefix: "sntryu_", kind: Sentry, class: classAlnum, min: 40, inWord: true},
	{prefix: "sntrya_", kind: Sentry, class: classAlnum, min: 40, inWord: true},
	{prefix: "PMAK-", kind: Postman, class: classURL, min: 50, inWord: true},
	{prefix: "PMAT-", kind: Postman, class: classAlnum, min: 26, max: 26},
	{prefix: "rubygems_", kind: RubyGems, class: classAlnum, min: 48, max: 48, check: lowHex},
	{prefix: "cio", kind: CratesIO, class: classAlnum, min: 32, max: 32, check: scrambled},
	{prefix: "vcp_", kind: Vercel, class: classAlnum, min: 20, check: mixed},
	{prefix: "vci_", kind: Vercel, class: classAlnum, min: 20, check: mixed},
	{prefix: "vca_", kind: Vercel, class: classAlnum, min: 20, check: mixed},
	{prefix: "vcr_", kind: Vercel, class: classAlnum, min: 20, check: mixed},
	{prefix: "vck_", kind: Vercel, class: classAlnum, min: 20, check: mixed},
	{prefix: "vercel_blob_rw_", kind: Vercel, class: classWord, min: 30, inWord: true},
	{prefix: "sbp_", kind: Supabase, class: classWord, min: 40, check: hasDigit},
	{prefix: "sb_secret_", kind: Supabase, class: classURL, min: 20, check: mixed},
	{prefix: "pscale_tkn_", kind: PlanetScale, class: classToken, min: 32, inWord: true},
	{prefix: "pscale_pw_", kind: PlanetScale, class: classToken, min: 32, inWord: true},
	{prefix: "pscale_oauth_", kind: PlanetScale, class: classToken, min: 32, inWord: true},
	{prefix: "pscale_otkn_", kind: PlanetScale, class: classToken, min: 32, inWord: true},
	{prefix: "gsk_", kind: Groq, class: classAlnum, min: 40, check: mixed},
	{prefix: "xai-", kind: XAI, class: classURL, min: 60, check: mixed},
	{prefix: "r8_", kind: Replicate, class: classAlnum, min: 32, max: 48, check: mixed},
	{prefix: "fm1a_", kind: Fly, class: classPadded64, min: 20, check: mixed},
	{prefix: "fm1r_", kind: Fly, class: classPadded64, min: 20, check: mixed},
	{prefix: "fm2_", kind: Fly, class: classPadded64, min: 20, check: mixed},
	{prefix: "fo1_", kind: Fly, class: classURL, min: 30, check: mixed},
	{prefix: "HRKU-", kind: Heroku, class: classURL, min: 30, inWord: true},
	{prefix: "mdb_sa_sk_", kind: MongoDBAtlas, class: classURL, min: 30, inWord: true},
	{prefix: "sq0atp-", kind: Square, class: classURL, min: 20, inWord: true},
	{prefix: "sq0csp-", kind: Square, class: classURL, min: 40, inWord: true},
	{prefix: "EAAA", kind: Square, class: classURL, min: 56, max: 64, check: mixed, alone: true},
	{prefix: "AKCp", kind: Artifactory, class: classAlnum, min: 60, max: 76, check: mixed, alone: true},
	{prefix: "cmVmd", kind: Artifactory, class: classAlnum, min: 59, max: 59, check: mixed, alone: true},
	{prefix: "AGE-SECRET-KEY-", kind: Age, class: classURL, min: 50, inWord: true},
	{prefix: "LS1CRUdJTi", kind: PrivateKey, match: findEncodedKey},
	{prefix: "LS0tQkVHSU4g", kind: PrivateKey, match: findEncodedKey},
	{prefix: "LUJFR0lO", kind: PrivateKey, match: findEncodedKey},
	{prefix: "Private-Lines:", kind: PrivateKey, match: findPuttyKey},
	{prefix: "pbkdf2_sha", kind: PasswordHash, class: classCrypt, min: 40, check: hasDollar},
	{prefix: "{SSHA", kind: PasswordHash, match: findLdapHash},
	{prefix: "{SHA", kind: PasswordHash, match: findLdapHash},
	{prefix: "{CRYPT", kind: PasswordHash, match: findLdapHash},
	{prefix: `\u003e`, match: escapedElement(`\u003c`, `\u003e`)},
	{prefix: "&gt;", match: escapedElement("&lt;", "&gt;")},
	{prefix: "curl", match: noted(commandCurl)},
	{prefix: "mysql", match: noted(commandMySQL)},
	{prefix: "mariadb", match: noted(commandMySQL)},
	{prefix: "sshpass", match: noted(commandSSHPass)},
	{prefix: "machine ", match: noted(netrcMachine)},
	{prefix: "default ", match: noted(netrcMachine)},
	{prefix: "login ", match: noted(netrcLogin)},
	{prefix: "password ", match: findNetrcPassword},
	{prefix: "password\t", match: findNetrcPassword},
}

func lowHex(s string) bool {
	digits := 0
	for i := range min(len(s), checked) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c >= 'a' && c <= 'f':
		case c == '-' && i >= 32:
		default:
			return false
		}
	}
	return digits > 0
}

func vault(s string) bool { return hasDigit(s) || letterCases(s) }

func legacyVault(s string) bool { return letterCases(s) && (hasDigit(s) || scrambled(s)) }

func letterCases(s string) bool { _, u, l := count(s); return u > 2 && l > 2 }

// random tells letters and digits of a token from the words of a name, in which
// they change their class seldom.
func random(s string) bool { return scrambled(s) && mixed(s) }

// scrambled is random for tokens that may have no digit.
func scrambled(s string) bool {
	turns := 0
	for i := 1; i < min(len(s), checked); i++ {
		if countOf[s[i]] != countOf[s[i-1]] {
			turns++
		}
	}
	_, upper, lower := count(s)
	return turns*8 >= 3*(len(s)-1) && upper > 0 && lower > 0
}

func hasDollar(s string) bool {
	for i := range min(len(s), checked) {
		if s[i] == '$' {
			return true
		}
	}
	return false
}
