import { parityTests } from "./suite.ts";

parityTests("kappa");
