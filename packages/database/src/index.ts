export * from './append.ts';
export { openDatabase, type DatabaseOptions, type OpenDatabase } from './connect.ts';
export { isLockTimeout, isStatementTimeout, isTransient, isUnavailable, isUniqueViolation } from './errors.ts';
export { migrateToLatest, readMigrationState, type MigrateOptions, type MigrationState } from './migrate.ts';
export { MigrationError } from './migration-files.ts';
export * from './schema.ts';
