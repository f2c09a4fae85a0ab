import { parityTests } from "./suite.ts";

parityTests("chisq");
