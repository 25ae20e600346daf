/** read-setting: how a group of settings gets at its values. */

/**
 * Reads one variable, or its default where it is not set. What `parse` throws is the setting's problem, and then nobody
 * gets to see any of the settings.
 */
export type ReadSetting<Name extends string> = <T>(setting: Name, parse: (value: string) => T) => T;
