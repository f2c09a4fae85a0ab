import { parityTests } from "./suite.ts";

parityTests("interpolate");
