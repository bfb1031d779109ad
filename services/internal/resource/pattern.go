package resource

// Patterns says in words what the patterns of the schemas allow.
var Patterns = map[string]string{
	`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`:                "a name: lower-case letters, digits and hyphens, at most 63, with a letter or digit at both ends",
	`^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$`:             "a name: lower-case letters, digits and hyphens, at most 63, with a letter or digit at both ends",
	`^([0-9]{4}-[0-9]{2}-[0-9]{2})?$`:                     "a date such as 2018-09-30",
	`^([A-Z]{3})?$`:                                       "a currency code such as USD",
	`^([0-9]{1,4}d)?$`:                                    "a number of days such as 45d",
	`^([+-]?[0-9]{1,9}([.][0-9]{1,9})?%)?$`:               "a percentage such as -40%",
	`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`:                        "a date such as 2018-09-30",
	`^([0-9]{4}-[0-9]{2})?$`:                              "a month such as 2018-09",
	`^([0-9]{1,18}([.][0-9]{1,6})?)?$`:                    "an amount without sign, separators or currency, such as 250000 or 1250.50",
	`^([^@\s]+@[^@\s]+|\[[a-z]+\])?$`:                     "an address such as ada@example.org",
	`^[A-Za-z0-9_-]{1,64}$`:                               "1 to 64 letters, digits, _ and -",
	`^[A-Za-z]{1,32}/[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`: "KIND/NAME such as target/vacant-space",
	`^[0-9]{1,19}$`:                                       "a number of at most 19 digits",
	`^[a-z0-9][a-z0-9.-]*$`:                               "an event type or its beginning, such as gap or gap.opened.v1",
	`^[a-z][a-z-]*(/[^/ ]+)?$`:                            "KIND or KIND/IDENTITY, such as target or target/vacant-space",
	`^[0-9]{0,19}$`:                                       "at most 19 digits",
}
