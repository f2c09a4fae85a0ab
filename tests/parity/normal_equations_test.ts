import { parityTests } from "./suite.ts";

parityTests("normal_equations");
