package resource

// Patterns says in words what the patterns of the schemas allow.
var Patterns = map[string]string{
	`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`:    "a name: lower-case letters, digits and hyphens, at most 63, with a letter or digit at both ends",
	`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$`: "a name: lower-case letters, digits and hyphens, at most 63, with a letter or digit at both ends",
	`^([0-9]{4}-[0-9]{2}-[0-9]{2})?$`:         "a date such as 2018-09-30",
	`^([A-Z]{3})?$`:                           "a currency code such as USD",
	`^([0-9]{1,4}d)?$`:                        "a number of days such as 45d",
	`^([+-]?[0-9]{1,9}([.][0-9]{1,9})?%)?$`:   "a percentage such as -40%",
}
