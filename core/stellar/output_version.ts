import project from "../../deno.json" with { type: "json" };

/** Version of the program, as outputs name it. */
export const VERSION: string = project.version;
