import { parityTests } from "./suite.ts";

parityTests("evolution");
