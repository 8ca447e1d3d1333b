// Package present turns rows into what is shown: view models, JSON, text and CSV, redacted
// and bounded. It is pure: it knows neither HTTP nor SQL.
package present
