// Package pact holds, in its tests, what the SMPP connector expects of operator-management. The connector itself is not
// built yet: the tests stand for it and use the generated clients alone. They have the build tag pact and write the
// pacts that ./task pact compares with the folder pacts/; its README explains them.
package pact
