package postgres

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

const invalidDefinition = "42P16"

// arrange makes the views over the live generation, and grants what the roles
// that are there may do, unless it is all so already.
func (o *owner) arrange() error {
	control := o.d.opts.Schema
	roles, err := o.roles()
	if err != nil {
		return err
	}
	numbers, live, err := o.numbers()
	if err != nil {
		return err
	}
	var views []readModel
	if live != 0 {
		views = readModels(o.d.opts.Kinds)
	}
	var plan strings.Builder
	fmt.Fprintln(&plan, live, roles)
	for _, v := range views {
		create, describe := v.sql(control, o.d.schemaOf(live))
		fmt.Fprintln(&plan, create, describe)
	}
	fingerprint := fmt.Sprintf("%x", sha256.Sum256([]byte(plan.String())))
	var have string
	err = o.tx.QueryRow(o.ctx, `SELECT fingerprint FROM `+control+`.layout`).Scan(&have)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) || have == fingerprint {
		return err
	}
	for _, v := range views {
		create, describe := v.sql(control, o.d.schemaOf(live))
		if err := o.replace(control+"."+v.name, create); err != nil {
			return err
		}
		if err := o.exec(describe...); err != nil {
			return err
		}
	}
	if err := o.exec(o.controlGrants(roles, views)...); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := o.grant(n); err != nil {
			return err
		}
	}
	_, err = o.tx.Exec(o.ctx, `INSERT INTO `+control+`.layout (one, fingerprint) VALUES (1, $1)
		ON CONFLICT (one) DO UPDATE SET fingerprint = excluded.fingerprint`, fingerprint)
	return err
}

// replace makes a view anew: in place if its columns only became more.
func (o *owner) replace(view, create string) error {
	if err := o.exec(`SAVEPOINT view`); err != nil {
		return err
	}
	err := o.exec(create)
	if codeOf(err) == invalidDefinition {
		err = o.exec(`ROLLBACK TO SAVEPOINT view`, `DROP VIEW `+view, create)
	}
	if err != nil {
		return fmt.Errorf("view %s: %w", view, err)
	}
	return o.exec(`RELEASE SAVEPOINT view`)
}

// numbers are those of the generations, and of the live one, 0 if none.
func (o *owner) numbers() (all []int, live int, err error) {
	rows, err := o.tx.Query(o.ctx, `SELECT number, state = 'live' FROM `+o.d.opts.Schema+`.generation WHERE state <> 'dropping' ORDER BY number`)
	if err != nil {
		return nil, 0, err
	}
	var n int
	var is bool
	_, err = pgx.ForEachRow(rows, []any{&n, &is}, func() error {
		all = append(all, n)
		if is {
			live = n
		}
		return nil
	})
	return all, live, err
}

// grant lets the roles that are there use a generation: the writer all of it,
// readers what is visible, of their organizations.
func (o *owner) grant(number int) error {
	roles, err := o.roles()
	if err != nil {
		return err
	}
	schema, control := o.d.schemaOf(number), o.d.opts.Schema
	for role, is := range roles {
		if !is || role == "owner" {
			continue
		}
		who := o.d.role(role)
		texts := []string{`GRANT USAGE ON SCHEMA ` + schema + ` TO ` + who}
		for _, t := range partitioned {
			table := schema + "." + t
			policy, columns := "", visible[t]
			if role == "writer" {
				texts = append(texts, `GRANT SELECT, INSERT, UPDATE ON `+table+` TO `+who)
				policy = `FOR ALL TO ` + who + ` USING (true) WITH CHECK (true)`
			} else if columns != "" {
				texts = append(texts, `GRANT SELECT (`+columns+`) ON `+table+` TO `+who)
				policy = `FOR SELECT TO ` + who + ` USING (org = ANY (ARRAY(SELECT o.org FROM ` + control + `.reader o WHERE o.role = CURRENT_USER)))`
			}
			var there bool
			if err := o.tx.QueryRow(o.ctx, `SELECT EXISTS (SELECT FROM pg_policies WHERE schemaname = $1 AND tablename = $2 AND policyname = $3)`,
				schema, t, who).Scan(&there); err != nil {
				return err
			}
			if policy != "" && !there {
				texts = append(texts, `CREATE POLICY `+who+` ON `+table+` `+policy)
			}
		}
		if err := o.exec(texts...); err != nil {
			return err
		}
	}
	return nil
}

// controlGrants are those on the schema of the views.
func (o *owner) controlGrants(roles map[string]bool, views []readModel) (texts []string) {
	control := o.d.opts.Schema
	if roles["writer"] {
		w := o.d.role("writer")
		texts = append(texts, `GRANT USAGE ON SCHEMA `+control+` TO `+w,
			`GRANT SELECT ON `+control+`.migration, `+control+`.generation TO `+w,
			`GRANT UPDATE (log_id, revision, hash) ON `+control+`.generation TO `+w)
	}
	if roles["reader"] {
		r := o.d.role("reader")
		texts = append(texts, `GRANT USAGE ON SCHEMA `+control+` TO `+r,
			`GRANT SELECT ON `+control+`.reader TO `+r)
		for _, v := range views {
			texts = append(texts, `GRANT SELECT ON `+control+`.`+v.name+` TO `+r)
		}
	}
	return texts
}
